/* SPDX-License-Identifier: Apache-2.0
 *
 * What the benchmarks in C share: CPU time of this process, its threads
 * included, and how long one call of something takes.
 */
#ifndef BENCH_MEASURE_H
#define BENCH_MEASURE_H

#include <stdlib.h>
#include <time.h>

static inline double
cpu_us(void)
{
    struct timespec t;
    if (clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) != 0)
        abort();
    return (double)t.tv_sec * 1e6 + (double)t.tv_nsec / 1e3;
}

/* Microseconds of one call, over about `ms` milliseconds; the clock is read
 * after every `batch` calls. */
static inline double
measure(void (*once)(void), int batch, double ms)
{
    double begin = cpu_us(), end;
    unsigned long calls = 0;
    do {
        for (int i = 0; i < batch; i++)
            once();
        calls += (unsigned long)batch;
        end = cpu_us();
    } while (end - begin < ms * 1000);
    return (end - begin) / (double)calls;
}

#endif
