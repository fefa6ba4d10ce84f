/* SPDX-License-Identifier: Apache-2.0 */
/* The values of directives as gromox(7) describes them: quantities, time spans, switches. */
#include <config.h>
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <gx/conf.h>

static const char *skip_space(const char *s)
{
	while (isspace((unsigned char)*s))
		++s;
	return s;
}

/*
 * A number as gromox(7) has it: integers, also 0x..., fractions with a period.
 * Fractions are read by hand, since strtod(3) asks the locale for its point.
 */
struct number {
	double v;
	uint64_t whole;
	bool is_whole;
};

static int parse_number(const char *s, const char **ret_end, struct number *ret_n)
{
	bool negative = *s == '-';
	if (*s == '-' || *s == '+')
		++s;
	if (!isdigit((unsigned char)*s) && *s != '.')
		return GX_E_FORMAT;
	size_t digits = strspn(s, "0123456789");
	if (s[digits] == '.') {
		double v = 0, unit = 1;
		for (size_t i = 0; i < digits; ++i)
			v = v * 10 + (s[i] - '0');
		size_t frac = strspn(s + digits + 1, "0123456789");
		if (digits + frac == 0)
			return GX_E_FORMAT;
		for (size_t i = 0; i < frac; ++i)
			v += (s[digits + 1 + i] - '0') * (unit /= 10);
		*ret_end = s + digits + 1 + frac;
		*ret_n = (struct number){.v = negative ? -v : v};
		return 0;
	}
	char *end;
	errno = 0;
	unsigned long long n = strtoull(s, &end, s[0] == '0' && (s[1] | 0x20) == 'x' ? 16 : 10);
	if (end == s)
		return GX_E_FORMAT;
	if (errno == ERANGE)
		return GX_E_RANGE;
	*ret_end = end;
	*ret_n = (struct number){negative ? -(double)n : (double)n, n, !negative};
	return 0;
}

int gx_conf_parse_size(const char *s, uint64_t *ret_bytes)
{
	static const char letters[] = "kMGTPE";
	struct number n;
	const char *end;
	int ret = parse_number(skip_space(s), &end, &n);
	if (ret != 0)
		return ret;
	end = skip_space(end);
	unsigned shift = 0;
	if (*end != '\0') {
		char c = *end == 'K' ? 'k' : *end;
		const char *l = strchr(letters, c);
		if (l == NULL || *skip_space(end + 1) != '\0')
			return GX_E_FORMAT;
		shift = 10 * (unsigned)(l - letters + 1);
	}
	if (n.v < 0)
		return GX_E_RANGE;
	if (n.is_whole) {
		if (n.whole > UINT64_MAX >> shift)
			return GX_E_RANGE;
		*ret_bytes = n.whole << shift;
		return 0;
	}
	double v = ldexp(n.v, (int)shift);
	if (v >= 18446744073709551616.0)
		return GX_E_RANGE;
	*ret_bytes = (uint64_t)v;
	return 0;
}

static const struct {
	const char *name;
	double seconds;
} units[] = {
	{"ns", 1e-9}, {"nsec", 1e-9}, {"\xc2\xb5s", 1e-6}, {"\xc2\xb5sec", 1e-6}, {"us", 1e-6}, {"usec", 1e-6},
	{"ms", 1e-3}, {"msec", 1e-3}, {"s", 1}, {"sec", 1}, {"second", 1}, {"seconds", 1},
	{"min", 60}, {"minute", 60}, {"minutes", 60}, {"h", 3600}, {"hour", 3600}, {"hours", 3600},
	{"d", 86400}, {"day", 86400}, {"days", 86400}, {"week", 604800}, {"weeks", 604800},
	{"month", 2629800}, {"months", 2629800}, {"y", 31557600}, {"year", 31557600}, {"years", 31557600},
};

static const char *parse_unit(const char *s, double *ret_seconds)
{
	size_t n = 0;
	while (s[n] != '\0' && !isspace((unsigned char)s[n]) && !isdigit((unsigned char)s[n]) &&
	       strchr(".+-", s[n]) == NULL)
		++n;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); ++i)
		if (strlen(units[i].name) == n && memcmp(units[i].name, s, n) == 0) {
			*ret_seconds = units[i].seconds;
			return s + n;
		}
	return NULL;
}

int gx_conf_parse_duration(const char *s, uint64_t *ret_seconds)
{
	double sum = 0, unit;
	struct number n;
	s = skip_space(s);
	for (unsigned quanta = 0; quanta == 0 || *s != '\0'; ++quanta) {
		int ret = parse_number(s, &s, &n);
		if (ret != 0)
			return ret;
		s = skip_space(s);
		if (*s == '\0') {
			if (quanta != 0)
				return GX_E_FORMAT;
			sum = n.v;
			break;
		}
		s = parse_unit(s, &unit);
		if (s == NULL)
			return GX_E_FORMAT;
		sum += n.v * unit;
		s = skip_space(s);
	}
	if (sum < 0 || sum >= 9e15)
		return GX_E_RANGE;
	*ret_seconds = (uint64_t)(sum + 1e-10);
	return 0;
}

int gx_conf_parse_bool(const char *s, bool *ret_v)
{
	static const char *const yes[] = {"yes", "on", "true", "1"}, *const no[] = {"no", "off", "false", "0"};
	for (unsigned i = 0; i < 4; ++i) {
		if (strcasecmp(s, yes[i]) == 0 || strcasecmp(s, no[i]) == 0) {
			*ret_v = strcasecmp(s, yes[i]) == 0;
			return 0;
		}
	}
	return GX_E_FORMAT;
}

const char *const *gx_conf_words(struct gx_arena *a, const char *value)
{
	static const char space[] = " \t\r\n";
	size_t n = 0;
	for (const char *s = value + strspn(value, space); *s != '\0'; s += strcspn(s, space), s += strspn(s, space))
		++n;
	const char **v = gx_arena_new_array(a, const char *, n + 1);
	if (v == NULL)
		return NULL;
	const char *s = value;
	for (size_t i = 0; i < n; ++i) {
		s += strspn(s, space);
		size_t len = strcspn(s, space);
		v[i] = gx_arena_strndup(a, s, len);
		if (v[i] == NULL)
			return NULL;
		s += len;
	}
	return v;
}
