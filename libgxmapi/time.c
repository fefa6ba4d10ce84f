/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdio.h>
#include <time.h>
#include <gx/time.h>

#define NT_PER_SEC 10000000
#define NS_PER_SEC INT64_C(1000000000)
#define EPOCH_SEC ((int64_t)(GX_NTTIME_UNIX_EPOCH / NT_PER_SEC))

gx_nttime_t gx_nttime_from_unix(int64_t sec, uint32_t nsec)
{
	if (sec < -EPOCH_SEC)
		return 0;
	uint64_t since = (uint64_t)sec + (uint64_t)EPOCH_SEC, t;
	if (sec > INT64_MAX - EPOCH_SEC || __builtin_mul_overflow(since, (uint64_t)NT_PER_SEC, &t) ||
	    __builtin_add_overflow(t, (uint64_t)(nsec / 100), &t))
		return UINT64_MAX;
	return t;
}

int64_t gx_nttime_to_unix(gx_nttime_t t, uint32_t *ret_nsec)
{
	if (ret_nsec != NULL)
		*ret_nsec = (uint32_t)(t % NT_PER_SEC) * 100;
	return (int64_t)(t / NT_PER_SEC) - EPOCH_SEC;
}

void gx_nttime_print(gx_nttime_t t, char out[32])
{
	uint32_t nsec;
	time_t sec = (time_t)gx_nttime_to_unix(t, &nsec);
	struct tm tm = {0};
	gmtime_r(&sec, &tm);
	size_t n = strftime(out, 32, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out + n, 32 - n, ".%03uZ", (unsigned)(nsec / 1000000 % 1000));
}

static int64_t read_clock(clockid_t id)
{
	struct timespec ts = {0};
	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * NS_PER_SEC + ts.tv_nsec;
}

static int64_t system_realtime(void *ctx)
{
	return read_clock(CLOCK_REALTIME);
}

static int64_t system_monotonic(void *ctx)
{
	return read_clock(CLOCK_MONOTONIC);
}

const struct gx_clock *gx_clock_system(void)
{
	static const struct gx_clock clock = {system_realtime, system_monotonic, NULL};
	return &clock;
}

/* Seconds rounded down, so that the remainder is never negative. */
static int64_t split_ns(int64_t ns, uint32_t *ret_rest)
{
	int64_t sec = ns / NS_PER_SEC, rest = ns % NS_PER_SEC;
	if (rest < 0) {
		rest += NS_PER_SEC;
		--sec;
	}
	*ret_rest = (uint32_t)rest;
	return sec;
}

gx_nttime_t gx_clock_nttime(const struct gx_clock *c)
{
	uint32_t rest;
	int64_t sec = split_ns(c->realtime_ns(c->ctx), &rest);
	return gx_nttime_from_unix(sec, rest);
}

int64_t gx_clock_unix(const struct gx_clock *c)
{
	uint32_t rest;
	return split_ns(c->realtime_ns(c->ctx), &rest);
}

int64_t gx_clock_mono_ms(const struct gx_clock *c)
{
	return c->monotonic_ns(c->ctx) / 1000000;
}
