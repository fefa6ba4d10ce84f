/* SPDX-License-Identifier: Apache-2.0 */
/* Reasons, ranges, dates. */
#include <config.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "libgxproto/http/http-int.h"

const char *gx_http_reason(unsigned status)
{
	static const struct {
		unsigned status;
		const char *text;
	} all[] = {
		{100, "Continue"}, {101, "Switching Protocols"}, {200, "OK"}, {201, "Created"}, {202, "Accepted"}, {204, "No Content"},
		{206, "Partial Content"}, {207, "Multi-Status"}, {301, "Moved Permanently"}, {302, "Found"}, {303, "See Other"},
		{304, "Not Modified"}, {307, "Temporary Redirect"}, {308, "Permanent Redirect"}, {400, "Bad Request"},
		{401, "Unauthorized"}, {403, "Forbidden"}, {404, "Not Found"}, {405, "Method Not Allowed"}, {406, "Not Acceptable"},
		{408, "Request Timeout"}, {409, "Conflict"}, {410, "Gone"}, {411, "Length Required"}, {412, "Precondition Failed"},
		{413, "Content Too Large"}, {414, "URI Too Long"}, {415, "Unsupported Media Type"}, {416, "Range Not Satisfiable"},
		{417, "Expectation Failed"}, {422, "Unprocessable Content"}, {423, "Locked"}, {429, "Too Many Requests"},
		{431, "Request Header Fields Too Large"}, {499, "Client Closed Request"}, {500, "Internal Server Error"},
		{501, "Not Implemented"}, {502, "Bad Gateway"}, {503, "Service Unavailable"}, {504, "Gateway Timeout"},
		{505, "HTTP Version Not Supported"}, {507, "Insufficient Storage"},
	};
	for (unsigned i = 0; i < sizeof(all) / sizeof(all[0]); ++i)
		if (all[i].status == status)
			return all[i].text;
	return status < 200 ? "Informational" : status < 300 ? "Success" : status < 400 ? "Redirection" :
		status < 500 ? "Client Error" : "Server Error";
}

static bool number(const char **io_s, uint64_t *ret_v)
{
	const char *s = *io_s;
	uint64_t v = 0;
	size_t n = 0;
	for (; s[n] >= '0' && s[n] <= '9'; ++n) {
		if (v > UINT64_MAX / 10 - 1)
			return false;
		v = v * 10 + (uint64_t)(s[n] - '0');
	}
	*io_s += n;
	*ret_v = v;
	return n > 0;
}

int gx_http_parse_range(const char *value, uint64_t size, uint64_t *ret_off, uint64_t *ret_len)
{
	uint64_t first = 0, last = UINT64_MAX;
	if (gx_ascii_ncasecmp(value, "bytes=", 6) != 0)
		return GX_E_UNSUP;
	const char *s = value + 6;
	bool suffix = *s == '-';
	if (!suffix && !number(&s, &first))
		return GX_E_UNSUP;
	if (*s++ != '-' || ((suffix || *s != '\0') && !number(&s, &last)) || *s != '\0')
		return GX_E_UNSUP;
	if (suffix) {
		if (last == 0 || size == 0)
			return GX_E_RANGE;
		first = last < size ? size - last : 0;
		last = size - 1;
	} else if (last < first) {
		return GX_E_UNSUP;
	}
	if (first >= size)
		return GX_E_RANGE;
	*ret_off = first;
	*ret_len = (last >= size ? size - 1 : last) - first + 1;
	return 0;
}

static const char *const days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

void gx_http_print_date(int64_t unix_time, char out[30])
{
	struct tm tm = {.tm_mday = 1, .tm_year = 70, .tm_wday = 4};
	time_t t = (time_t)unix_time;
	/* Years that do not have four digits have no form here. */
	if (t < INT64_C(-62135596800) || t > INT64_C(253402300799) || gmtime_r(&t, &tm) == NULL)
		tm = (struct tm){.tm_mday = 1, .tm_year = 70, .tm_wday = 4};
	snprintf(out, 30, "%.3s, %02u %.3s %04u %02u:%02u:%02u GMT", days[tm.tm_wday % 7], (unsigned)tm.tm_mday % 100,
		months[tm.tm_mon % 12], (unsigned)(tm.tm_year + 1900) % 10000, (unsigned)tm.tm_hour % 100,
		(unsigned)tm.tm_min % 100, (unsigned)tm.tm_sec % 100);
}

int gx_http_parse_date(const char *s, int64_t *ret_unix)
{
	struct tm tm = {0};
	char month[4] = "", zone[4] = "";
	int end = 0, year;
	if (sscanf(s, "%*3[A-Za-z], %2d %3[A-Za-z] %4d %2d:%2d:%2d %3s%n", &tm.tm_mday, month, &year, &tm.tm_hour, &tm.tm_min,
	    &tm.tm_sec, zone, &end) == 7 && s[end] == '\0' && strcmp(zone, "GMT") == 0)
		;
	else if (sscanf(s, "%*9[A-Za-z], %2d-%3[A-Za-z]-%2d %2d:%2d:%2d %3s%n", &tm.tm_mday, month, &year, &tm.tm_hour, &tm.tm_min,
	    &tm.tm_sec, zone, &end) == 7 && s[end] == '\0' && strcmp(zone, "GMT") == 0)
		year += year < 70 ? 2000 : 1900;
	else if (sscanf(s, "%*3[A-Za-z] %3[A-Za-z] %2d %2d:%2d:%2d %4d%n", month, &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec,
	    &year, &end) == 6 && s[end] == '\0')
		;
	else
		return GX_E_FORMAT;
	for (tm.tm_mon = 0; tm.tm_mon < 12 && strcmp(months[tm.tm_mon], month) != 0; ++tm.tm_mon)
		;
	if (tm.tm_mon == 12 || tm.tm_mday < 1 || tm.tm_mday > 31 || tm.tm_hour < 0 || tm.tm_hour > 23 || tm.tm_min < 0 ||
	    tm.tm_min > 59 || tm.tm_sec < 0 || tm.tm_sec > 60 || year < 1)
		return GX_E_FORMAT;
	tm.tm_year = year - 1900;
	*ret_unix = timegm(&tm);
	return 0;
}
