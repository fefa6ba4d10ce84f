/* SPDX-License-Identifier: Apache-2.0 */
/* Time, memory and output of the store's benchmarks. */
#include <config.h>
#include <malloc.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "bench/scale.h"

const struct gx_actor scale_system = GX_ACTOR_SYSTEM;
const char *scale_name = "";
static unsigned rnd_state = 12345;

void scale_die(const char *what, const char *why)
{
	fprintf(stderr, "bench_%s: %s: %s\n", scale_name, what, why);
	exit(1);
}

void scale_need(gx_ec ec, const char *what)
{
	if (gx_ec_failed(ec))
		scale_die(what, gx_ec_name(ec));
}

void scale_must(int err, const char *what)
{
	if (err != 0)
		scale_die(what, gx_strerror(err));
}

/* ---- Time ---- */

static double seconds(clockid_t id)
{
	struct timespec ts;
	clock_gettime(id, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

struct meter meter_now(void)
{
	return (struct meter){seconds(CLOCK_MONOTONIC), seconds(CLOCK_PROCESS_CPUTIME_ID)};
}

struct meter meter_since(struct meter m)
{
	struct meter n = meter_now();
	return (struct meter){n.wall - m.wall, n.cpu - m.cpu};
}

void meter_add(struct meter *sum, struct meter m)
{
	sum->wall += m.wall;
	sum->cpu += m.cpu;
}

/* ---- Output ---- */

static void more_members(const char *more, va_list ap)
{
	if (more != NULL) {
		fputs(", ", stdout);
		vprintf(more, ap);
	}
	puts("}");
	fflush(stdout);
}

void scale_row(const char *what, struct meter m, double ops, const char *more, ...)
{
	va_list ap;
	double wall = m.wall / ops, cpu = m.cpu / ops;
	printf("{\"bench\": \"%s\", \"what\": \"%s\", ", scale_name, what);
	if (ops > 1)
		printf("\"n\": %.0f, \"us\": %.2f, \"cpu_us\": %.2f, \"per_s\": %.0f, \"per_cpu_s\": %.0f", ops,
			wall * 1e6, cpu * 1e6, 1 / wall, 1 / cpu);
	else
		printf("\"ms\": %.3f, \"cpu_ms\": %.3f", wall * 1e3, cpu * 1e3);
	va_start(ap, more);
	more_members(more, ap);
	va_end(ap);
}

void scale_fact(const char *what, const char *members, ...)
{
	va_list ap;
	printf("{\"bench\": \"%s\", \"what\": \"%s\"", scale_name, what);
	va_start(ap, members);
	more_members(members, ap);
	va_end(ap);
}

/* ---- Memory ---- */

/* A field of /proc/self/status in KiB. */
static long status(const char *field)
{
	char line[256];
	long v = 0;
	FILE *f = fopen("/proc/self/status", "r");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, field, strlen(field)) == 0)
			v = strtol(line + strlen(field) + 1, NULL, 10);
	if (f != NULL)
		fclose(f);
	return v;
}

long scale_peak_begin(void)
{
	malloc_trim(0); /* what was freed before must not serve what is measured */
	FILE *f = fopen("/proc/self/clear_refs", "w");
	if (f != NULL) {
		fputs("5", f);
		fclose(f);
	}
	return status("VmRSS:");
}

long scale_peak(long before)
{
	long above = status("VmHWM:") - before;
	return above < 0 ? 0 : above;
}

void scale_apart(void (*fn)(void *ctx), void *ctx)
{
	int how;
	fflush(stdout);
	pid_t pid = fork();
	if (pid == 0) {
		fn(ctx);
		fflush(stdout);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, &how, 0) != pid || how != 0)
		exit(1); /* it has said why */
}

/* ---- Numbers ---- */

void scale_seed(unsigned seed)
{
	rnd_state = seed;
}

unsigned scale_rnd(unsigned n)
{
	rnd_state = rnd_state * 1103515245U + 12345;
	return (unsigned)((uint64_t)(rnd_state >> 8) * n >> 24);
}

void scale_args(int argc, char **argv, const char *name, unsigned *io_n, const char **ret_keep)
{
	char *end;
	scale_name = name;
	*ret_keep = argc > 2 ? argv[2] : NULL;
	if (argc > 1) {
		unsigned long v = strtoul(argv[1], &end, 10);
		if (*end != '\0' || v < 1000 || v > 10000000)
			scale_die("usage", "[MESSAGES, 1000 to 10000000 [DIRECTORY]]");
		*io_n = (unsigned)v / 1000 * 1000;
	}
}
