/* SPDX-License-Identifier: Apache-2.0 */
#include "apps/local/people.h"

#include <unistd.h>

#include "apps/command/command.h"
#include "core/str.h"

#define COLUMNS    4
#define COLUMN_MAX 200

/* Names are what the tenant's people wrote: they do not steer a terminal. */
static void
copy_cell(char ret[COLUMN_MAX], const valet_account *account, size_t column)
{
    const char *const cells[COLUMNS] = {account->username, account->name,
                                        account->tenant_id, account->id};
    (void)snprintf(ret, COLUMN_MAX, "%s", cells[column] ? cells[column] : "-");
    vl_str_tame(ret);
}

/* Characters, near enough to what a terminal makes of them. */
static size_t
width_of(const char *text)
{
    size_t width = 0;
    for (; *text; text++)
        width += ((unsigned char)*text & 0xC0) != 0x80;
    return width;
}

static void
print_cell(FILE *out, const char *text, size_t width, bool last)
{
    size_t pad = last ? 0 : width - width_of(text) + 2;
    (void)fprintf(out, "%s%*s", text, (int)pad, "");
}

void
vl_people_print(FILE *out, const valet_account_list *list, bool numbered)
{
    static const char *const heads[COLUMNS] = {"USERNAME", "NAME", "TENANT",
                                               "ID"};
    char cell[COLUMN_MAX];
    size_t widths[COLUMNS];
    for (size_t c = 0; c < COLUMNS; c++) {
        widths[c] = strlen(heads[c]);
        for (size_t i = 0; i < list->count; i++) {
            copy_cell(cell, &list->accounts[i], c);
            if (width_of(cell) > widths[c])
                widths[c] = width_of(cell);
        }
    }
    (void)fputs(numbered ? "     " : "", out);
    for (size_t c = 0; c < COLUMNS; c++)
        print_cell(out, heads[c], widths[c], c + 1 == COLUMNS);
    for (size_t i = 0; i < list->count; i++) {
        (void)fputc('\n', out);
        if (numbered)
            (void)fprintf(out, "%3zu  ", i + 1);
        for (size_t c = 0; c < COLUMNS; c++) {
            copy_cell(cell, &list->accounts[i], c);
            print_cell(out, cell, widths[c], c + 1 == COLUMNS);
        }
    }
    (void)fputc('\n', out);
}

const char *
vl_people_choose(const valet_account_list *list)
{
    bool asks = isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
    char line[32];
    uint64_t number = 0;
    vl_complain("several accounts are signed in:");
    vl_people_print(stderr, list, asks);
    if (!asks) {
        vl_complain("say which with --account and its username or id");
        return NULL;
    }
    (void)fprintf(stderr, "Which one (1 to %zu)? ", list->count);
    if (!fgets(line, sizeof line, stdin))
        line[0] = '\0';
    struct vl_str answer =
        vl_str_head(vl_str_z(line), vl_str_index(vl_str_z(line), '\n'));
    if (!vl_str_u64(vl_str_trim(answer), list->count, &number) || number == 0) {
        vl_complain("that is none of them");
        return NULL;
    }
    return list->accounts[number - 1].id;
}
