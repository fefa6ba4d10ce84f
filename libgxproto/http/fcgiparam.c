/* SPDX-License-Identifier: Apache-2.0 */
/* Which script a path means, and the variables it is given [RFC 3875] 4.1. */
#include <config.h>
#include <string.h>
#include <sys/stat.h>
#include "libgxproto/http/fastcgi.h"

/* Columns of fastcgi.txt. */
enum { COL_HOST, COL_PATH, COL_ROOT, COL_SUFFIX, COL_INDEX, COL_EXTRA, COL_SOCKET };

/* End of the first component of @p rest that has the suffix, 0: none has. */
static size_t script_end(const char *rest, const char *suffix)
{
	size_t len = strlen(suffix);
	for (const char *p = rest; *p == '/';) {
		size_t n = 1 + strcspn(p + 1, "/");
		if (n > len + 2 && p[n - len - 1] == '.' && gx_ascii_ncasecmp(p + n - len, suffix, len) == 0)
			return (size_t)(p + n - rest);
		p += n;
	}
	return 0;
}

static bool is_kind(const char *path, mode_t kind)
{
	struct stat st;
	return path != NULL && stat(path, &st) == 0 && (st.st_mode & S_IFMT) == kind;
}

/*
 * "/dir/x.php/info" is the script x.php; a directory means its index; what is a file is not for us; anything else without
 * a suffix is for the index of the whole entry, which finds the rest in PATH_INFO.
 */
static bool take_apart(struct gx_arena *a, const char *prefix, const char *root, const char *rest, const char *suffix, const char *index,
	struct fcgi_script *s)
{
	size_t n = script_end(rest, suffix);
	const char *dir = "", *on_disk = gx_arena_printf(a, "%s%s", root, rest);
	if (n > 0) {
		s->name = gx_arena_printf(a, "%s%.*s", prefix, (int)n, rest);
		s->file = gx_arena_printf(a, "%s%.*s", root, (int)n, rest);
		s->info = rest + n;
		return true;
	}
	if (is_kind(on_disk, S_IFREG))
		return false;
	const char *last = strrchr(rest, '/');
	bool is_dir = is_kind(on_disk, S_IFDIR);
	if (!is_dir && last != NULL && strchr(last, '.') != NULL)
		return false;
	if (is_dir) {
		size_t len = strlen(rest);
		while (len > 0 && rest[len - 1] == '/')
			--len;
		dir = gx_arena_strndup(a, rest, len);
	}
	s->name = gx_arena_printf(a, "%s%s/%s", prefix, dir == NULL ? "" : dir, index);
	s->file = gx_arena_printf(a, "%s%s/%s", root, dir == NULL ? "" : dir, index);
	s->info = is_dir ? "" : rest;
	return !is_dir || is_kind(s->file, S_IFREG);
}

/* An entry of the map, copied: the map may be read again while the script runs. */
struct entry {
	const char *root, *suffix, *index, *extra, *socket;
	size_t len; /* of the path that it is for; 0: none is */
};

static const char *copied(struct gx_arena *a, const struct http_map *m, size_t line, unsigned column)
{
	return gx_arena_strdup(a, http_map_word(m, line, column));
}

static bool find_entry(struct gx_http_fastcgi *f, struct gx_http_req *r, struct entry *e)
{
	size_t line = 0;
	struct gx_arena *a = r->arena;
	const struct http_map *m = &f->map;
	*e = (struct entry){0};
	pthread_rwlock_rdlock(&f->map_lock);
	for (size_t i = 0; i < m->lines; ++i) {
		size_t n = gx_http__below(http_map_word(m, i, COL_PATH), r->path);
		if (n > e->len && gx_http__host_matches(http_map_word(m, i, COL_HOST), r->host)) {
			e->len = n;
			line = i;
		}
	}
	if (e->len > 0)
		*e = (struct entry){copied(a, m, line, COL_ROOT), copied(a, m, line, COL_SUFFIX), copied(a, m, line, COL_INDEX),
			copied(a, m, line, COL_EXTRA), copied(a, m, line, COL_SOCKET), e->len};
	pthread_rwlock_unlock(&f->map_lock);
	return e->len > 0 && e->root != NULL && e->suffix != NULL && e->index != NULL && e->extra != NULL && e->socket != NULL;
}

bool gx_fcgi__find(struct gx_http_fastcgi *f, struct gx_http_req *r, struct fcgi_script *s)
{
	struct entry e;
	if (!find_entry(f, r, &e))
		return false;
	bool whole = e.len == 1 && r->path[1] != '\0';
	const char *prefix = e.len == 1 ? "" : gx_arena_strndup(r->arena, r->path, e.len);
	*s = (struct fcgi_script){.socket = e.socket, .root = e.root, .extra = e.extra};
	return prefix != NULL && take_apart(r->arena, prefix, s->root, r->path + (whole ? 0 : e.len), e.suffix, e.index, s) && s->name != NULL &&
	       s->file != NULL;
}

/* ---- Records ---- */

void gx_fcgi__put_record(struct gx_push *out, uint8_t type, const void *p, size_t n)
{
	do {
		size_t part = n < FCGI_CONTENT_MOST ? n : FCGI_CONTENT_MOST;
		gx_push_u8(out, 1);
		gx_push_u8(out, type);
		gx_push_u16be(out, 1);
		gx_push_u16be(out, (uint16_t)part);
		gx_push_u16be(out, 0);
		gx_push_bytes(out, p, part);
		p = part == 0 ? p : (const uint8_t *)p + part;
		n -= part;
	} while (n > 0);
}

static void put_length(struct gx_push *out, size_t n)
{
	if (n < 128)
		gx_push_u8(out, (uint8_t)n);
	else
		gx_push_u32be(out, (uint32_t)n | 0x80000000);
}

static void put_param(struct gx_push *out, const char *name, const char *value)
{
	size_t n = strlen(name), v = strlen(value);
	put_length(out, n);
	put_length(out, v);
	gx_push_bytes(out, name, n);
	gx_push_bytes(out, value, v);
}

static void put_number(struct gx_push *out, const char *name, uint64_t v)
{
	char text[24];
	snprintf(text, sizeof(text), "%llu", (unsigned long long)v);
	put_param(out, name, text);
}

static bool is_listed(const char *list, const char *name)
{
	size_t len = strlen(name);
	for (const char *p = list; *p != '\0';) {
		size_t n = strcspn(p, "|");
		if (n == len && gx_ascii_ncasecmp(p, name, n) == 0)
			return true;
		p += n;
		p += *p == '|';
	}
	return false;
}

/* Headers that scripts are given without being asked. "Proxy" is not among them: as HTTP_PROXY it would be obeyed. */
static bool is_forwarded(const struct fcgi_script *s, const char *name)
{
	static const char usual[] = "Accept|Accept-Charset|Accept-Encoding|Accept-Language|Authorization|Brief|Cache-Control|Cookie|Depth|"
		"Destination|DNT|Host|If|If-Match|If-Modified-Since|If-None-Match|If-Range|If-Schedule-Tag-Match|If-Unmodified-Since|Lock-Token|"
		"MS-ASAcceptMultiPart|MS-ASProtocolVersion|Origin|Overwrite|Pragma|Prefer|Range|Referer|Timeout|Upgrade-Insecure-Requests|"
		"User-Agent|X-Forwarded-For|X-Forwarded-Host|X-Forwarded-Proto|X-MS-PolicyKey|X-Requested-With|X-Zarafa";
	return is_listed(usual, name) || (is_listed(s->extra, name) && gx_ascii_casecmp(name, "Proxy") != 0);
}

/* "HTTP_USER_AGENT" */
static void put_field(struct gx_push *out, const struct gx_http_field *f)
{
	char name[100];
	size_t n = (size_t)snprintf(name, sizeof(name), "HTTP_%s", f->name);
	if (n >= sizeof(name))
		return;
	for (char *p = name + 5; *p != '\0'; ++p)
		*p = *p == '-' ? '_' : *p >= 'a' && *p <= 'z' ? (char)(*p - 32) : *p;
	put_param(out, name, f->value);
}

static void put_server(const struct fcgi_job *j, struct gx_push *p)
{
	const struct gx_http_req *r = j->r;
	size_t n = r->host[0] == '[' ? strcspn(r->host, "]") + 1 : strcspn(r->host, ":");
	if (n > strlen(r->host))
		n = strlen(r->host);
	const char *name = gx_arena_strndup(r->arena, r->host, n), *port = r->host[n] == ':' ? r->host + n + 1 : r->tls ? "443" : "80";
	put_param(p, "GATEWAY_INTERFACE", "CGI/1.1");
	put_param(p, "SERVER_SOFTWARE", j->f->server_name == NULL ? "gx" : j->f->server_name);
	put_param(p, "SERVER_PROTOCOL", r->version == 10 ? "HTTP/1.0" : "HTTP/1.1");
	put_param(p, "SERVER_NAME", name == NULL ? "" : name);
	put_param(p, "SERVER_PORT", port);
	put_param(p, "SERVER_ADDR", r->local);
	put_param(p, "REMOTE_ADDR", r->peer);
	put_number(p, "REMOTE_PORT", r->peer_port);
	put_param(p, "REQUEST_SCHEME", r->tls ? "https" : "http");
	if (r->tls)
		put_param(p, "HTTPS", "on");
}

static void put_request(const struct fcgi_job *j, struct gx_push *p)
{
	const struct gx_http_req *r = j->r;
	const struct fcgi_script *s = &j->script;
	const char *type = gx_http_header(r, "Content-Type");
	put_param(p, "REQUEST_METHOD", r->method);
	put_param(p, "REQUEST_URI", r->target);
	put_param(p, "QUERY_STRING", r->query);
	put_param(p, "DOCUMENT_ROOT", s->root);
	put_param(p, "SCRIPT_NAME", s->name);
	put_param(p, "SCRIPT_FILENAME", s->file);
	put_param(p, "PATH_INFO", s->info);
	/* PHP's own guard against being called as a CGI program by hand. */
	put_param(p, "REDIRECT_STATUS", "200");
	if (type != NULL)
		put_param(p, "CONTENT_TYPE", type);
	if (j->body_len > 0 || r->content_length != 0)
		put_number(p, "CONTENT_LENGTH", j->body_len);
	for (size_t i = 0; i < r->nfields; ++i)
		if (is_forwarded(s, r->fields[i].name))
			put_field(p, &r->fields[i]);
}

void gx_fcgi__put_head(const struct fcgi_job *j, struct gx_push *out)
{
	/* Role responder; the connection closes after the request. */
	static const uint8_t begin[8] = {0, 1};
	struct gx_push params = GX_PUSH_INIT;
	gx_fcgi__put_record(out, FCGI_BEGIN, begin, sizeof(begin));
	put_server(j, &params);
	put_request(j, &params);
	if (params.err != 0)
		gx_push_fail(out, params.err);
	gx_fcgi__put_record(out, FCGI_PARAMS, params.data, params.len);
	gx_fcgi__put_record(out, FCGI_PARAMS, NULL, 0);
	gx_push_release(&params);
}
