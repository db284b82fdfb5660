/* SPDX-License-Identifier: Apache-2.0 */
#include "http/retry.h"

#include "core/sys.h"
#include "http/fetch.h"

#define BACKOFF_FIRST_MS 500
#define BACKOFF_MOST_MS  10000
/* 68 years: whatever is longer is "never" to us, and sums cannot wrap. */
#define SECONDS_MAX INT32_MAX

bool
vl_retry_is_temporary(int status)
{
    return status == 429 || status == 502 || status == 503 || status == 504;
}

/* @spec S-100 */
int64_t
vl_retry_backoff(unsigned attempt)
{
    int64_t step = BACKOFF_FIRST_MS;
    for (unsigned i = 1; i < attempt && step < BACKOFF_MOST_MS; i++)
        step *= 2;
    if (step > BACKOFF_MOST_MS)
        step = BACKOFF_MOST_MS;
    uint32_t dice;
    vl_random(&dice, sizeof dice);
    return (int64_t)(dice % (uint64_t)(step + 1));
}

/* --- dates --- */

struct date {
    unsigned year, month, day, hour, minute, second;
    bool short_year;
};

static const char *const day_names[] = {"Monday",   "Tuesday", "Wednesday",
                                        "Thursday", "Friday",  "Saturday",
                                        "Sunday"};
static const char *const month_names[] = {"Jan", "Feb", "Mar", "Apr",
                                          "May", "Jun", "Jul", "Aug",
                                          "Sep", "Oct", "Nov", "Dec"};

/* Takes exactly `n` digits off the front. */
static bool
take_number(struct vl_str *rest, size_t n, unsigned *ret)
{
    uint64_t value;
    if (rest->n < n || !vl_str_u64(vl_str_head(*rest, n), 9999, &value))
        return false;
    *ret = (unsigned)value;
    *rest = vl_str_from(*rest, n);
    return true;
}

static bool
take_text(struct vl_str *rest, struct vl_str text)
{
    if (!vl_str_starts(*rest, text))
        return false;
    *rest = vl_str_from(*rest, text.n);
    return true;
}

/* The day of the week says nothing new; it only has to be one. */
static bool
take_day_name(struct vl_str *rest, bool is_short)
{
    for (size_t i = 0; i < VL_COUNT(day_names); i++) {
        struct vl_str name = vl_str_z(day_names[i]);
        if (take_text(rest, is_short ? vl_str_head(name, 3) : name))
            return true;
    }
    return false;
}

static bool
take_month(struct vl_str *rest, unsigned *ret)
{
    for (unsigned i = 0; i < VL_COUNT(month_names); i++)
        if (take_text(rest, vl_str_z(month_names[i]))) {
            *ret = i + 1;
            return true;
        }
    return false;
}

/* One letter of a pattern below. */
static bool
take_field(struct vl_str *rest, char field, struct date *date)
{
    switch (field) {
    case 'W':
        return take_day_name(rest, true);
    case 'L':
        return take_day_name(rest, false);
    case 'd':
        return take_number(rest, 2, &date->day);
    case 'e':
        return take_text(rest, VL_STR(" ")) ? take_number(rest, 1, &date->day)
                                            : take_number(rest, 2, &date->day);
    case 'm':
        return take_month(rest, &date->month);
    case 'Y':
        return take_number(rest, 4, &date->year);
    case 'y':
        date->short_year = true;
        return take_number(rest, 2, &date->year);
    case 'h':
        return take_number(rest, 2, &date->hour);
    case 'n':
        return take_number(rest, 2, &date->minute);
    case 's':
        return take_number(rest, 2, &date->second);
    default:
        return take_text(rest, vl_str_of(&field, 1));
    }
}

/*
 * RFC 9110 5.6.7: HTTP-date = IMF-fixdate / obs-date
 *                 obs-date = rfc850-date / asctime-date
 */
static const char *const patterns[] = {
    "W, d m Y h:n:s GMT", /* Sun, 06 Nov 1994 08:49:37 GMT */
    "L, d-m-y h:n:s GMT", /* Sunday, 06-Nov-94 08:49:37 GMT */
    "W m e h:n:s Y",      /* Sun Nov  6 08:49:37 1994 */
};

static bool
match(struct vl_str text, const char *pattern, struct date *ret)
{
    struct date date = {0};
    for (; *pattern; pattern++)
        if (!take_field(&text, *pattern, &date))
            return false;
    if (text.n)
        return false;
    *ret = date;
    return true;
}

static bool
is_leap(unsigned year)
{
    return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

static bool
is_possible(const struct date *d)
{
    static const unsigned char days[] = {31, 28, 31, 30, 31, 30,
                                         31, 31, 30, 31, 30, 31};
    if (d->month < 1 || d->month > 12 || d->year < 1 || d->day < 1)
        return false;
    unsigned last = days[d->month - 1];
    if (d->month == 2 && is_leap(d->year))
        last++;
    /* 60 is a leap second. */
    return d->day <= last && d->hour < 24 && d->minute < 60 && d->second <= 60;
}

/* Days since 1970-01-01; years are counted from March, so that the leap day
 * is the last of its year. */
static int64_t
day_number(const struct date *d)
{
    int64_t year = (int64_t)d->year - (d->month <= 2);
    int64_t month = d->month > 2 ? d->month - 3 : d->month + 9;
    int64_t day_of_year = (153 * month + 2) / 5 + d->day - 1;
    return year * 365 + year / 4 - year / 100 + year / 400 + day_of_year -
           719468;
}

static int64_t
ms_of(const struct date *d)
{
    int64_t minutes = (day_number(d) * 24 + d->hour) * 60 + d->minute;
    return (minutes * 60 + d->second) * 1000;
}

/* RFC 9110 5.6.7: what would be more than 50 years ahead has passed. */
static void
complete_year(struct date *date, int64_t now_ms)
{
    time_t now = (time_t)(now_ms / 1000);
    struct tm utc;
    /* Another clock than of 1900 to 9999 is broken; sums must not wrap. */
    if (!gmtime_r(&now, &utc) || utc.tm_year < 0 || utc.tm_year > 8099)
        return;
    unsigned this_year = (unsigned)utc.tm_year + 1900;
    date->year += this_year / 100 * 100;
    if (date->year > this_year + 50)
        date->year -= 100;
}

static bool
parse_date(struct vl_str text, int64_t now_ms, int64_t *ret_ms)
{
    for (size_t i = 0; i < VL_COUNT(patterns); i++) {
        struct date date;
        if (!match(text, patterns[i], &date))
            continue;
        if (date.short_year)
            complete_year(&date, now_ms);
        if (!is_possible(&date))
            return false;
        *ret_ms = ms_of(&date);
        return true;
    }
    return false;
}

/* --- Retry-After --- */

static bool
is_digits(struct vl_str s)
{
    for (size_t i = 0; i < s.n; i++)
        if (s.p[i] < '0' || s.p[i] > '9')
            return false;
    return s.n > 0;
}

/* @spec S-100
 * RFC 9110 10.2.3: Retry-After = HTTP-date / delay-seconds */
int64_t
vl_retry_after(struct vl_str value, int64_t now_ms)
{
    const int64_t most = (int64_t)SECONDS_MAX * 1000;
    uint64_t seconds;
    int64_t at;
    value = vl_str_trim(value);
    if (is_digits(value)) {
        if (!vl_str_u64(value, SECONDS_MAX, &seconds))
            return most;
        return (int64_t)seconds * 1000;
    }
    if (!parse_date(value, now_ms, &at))
        return -1;
    if (at <= now_ms)
        return 0;
    /* A clock before 1970 is nobody's; it must not make the sum wrap. */
    return now_ms < 0 || at - now_ms > most ? most : at - now_ms;
}
