/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a fuzz target over saved inputs, without libFuzzer: each file of the directory named by
 * the target's program ("fuzz/seeds/<name>"), then every truncation of the small ones.
 */
#include <config.h>
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define TRUNCATE_BELOW 400

static void run_exact(const uint8_t *data, size_t n)
{
	uint8_t *copy = malloc(n == 0 ? 1 : n);
	if (copy == NULL)
		abort();
	if (n != 0)
		memcpy(copy, data, n);
	LLVMFuzzerTestOneInput(copy, n);
	free(copy);
}

static int run_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	if (f == NULL)
		return -1;
	size_t cap = 1 << 20, n = 0, got;
	uint8_t *buf = malloc(cap);
	while (buf != NULL && (got = fread(buf + n, 1, cap - n, f)) > 0) {
		n += got;
		if (n == cap)
			buf = realloc(buf, cap *= 2);
	}
	fclose(f);
	if (buf == NULL)
		return -1;
	run_exact(buf, n);
	for (size_t cut = 0; n < TRUNCATE_BELOW && cut < n; ++cut)
		run_exact(buf, cut);
	free(buf);
	return 0;
}

int main(int argc, char **argv)
{
	char dir[4096], path[8192];
	const char *top = getenv("top_srcdir"), *base = strrchr(argv[0], '/');
	base = base == NULL ? argv[0] : base + 1;
	if (strncmp(base, "lt-", 3) == 0)
		base += 3;
	if (strncmp(base, "replay_", 7) == 0)
		base += 7;
	if (argc > 1)
		snprintf(dir, sizeof(dir), "%s", argv[1]);
	else
		snprintf(dir, sizeof(dir), "%s/fuzz/seeds/%s", top == NULL ? "." : top, base);
	DIR *d = opendir(dir);
	unsigned n = 0, bad = 0;
	for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, e->d_name);
		bad += run_file(path) != 0;
		++n;
	}
	if (d != NULL)
		closedir(d);
	printf("1..1\n%s 1 - %s: %u saved inputs\n", n != 0 && bad == 0 ? "ok" : "not ok", base, n);
	return n != 0 && bad == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
