/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_TIME_H
#define GX_TIME_H
/**
 * @file time.h
 * Time stamps and the one clock everything asks, so that tests can move it.
 * Thread class: immutable (clocks: whatever their functions are; the system clock is any thread).
 */
#include <gx/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/** FILETIME: 100 ns units since 1601-01-01 UTC, [MS-DTYP] 2.3.3. */
typedef uint64_t gx_nttime_t;

#define GX_NTTIME_UNIX_EPOCH UINT64_C(116444736000000000)

/** Saturates at 0 and UINT64_MAX. */
GX_API gx_nttime_t gx_nttime_from_unix(int64_t sec, uint32_t nsec);
/** @param ret_nsec may be NULL. @return seconds since 1970, negative before. */
GX_API int64_t gx_nttime_to_unix(gx_nttime_t t, uint32_t *ret_nsec);

struct gx_clock {
	int64_t (*realtime_ns)(void *ctx);  /**< nanoseconds since 1970 */
	int64_t (*monotonic_ns)(void *ctx); /**< nanoseconds since some start; never goes back */
	void *ctx;
};

/** The system's clock. */
GX_API const struct gx_clock *gx_clock_system(void);
GX_API gx_nttime_t gx_clock_nttime(const struct gx_clock *c);
GX_API int64_t gx_clock_unix(const struct gx_clock *c);
GX_API int64_t gx_clock_mono_ms(const struct gx_clock *c);

/** "2026-11-22T17:10:32.123Z"; @p out takes 32 bytes. */
GX_API void gx_nttime_print(gx_nttime_t t, char out[32]);

#ifdef __cplusplus
}
#endif
#endif
