/* SPDX-License-Identifier: Apache-2.0 */
/* mod_cache(4gx): files of this host, with entity tags [RFC 9110] 8.8.3, conditions 13 and ranges 14. */
#include <config.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <gx/httpmod.h>
#include "libgxproto/http/map.h"

static const char builtin[] =
	"* /web /usr/share/grommunio-web\n"
	"* /EWS/Messages.xsd /usr/share/gromox/Messages.xsd\n"
	"* /EWS/Services.wsdl /usr/share/gromox/Services.wsdl\n"
	"* /EWS/Types.xsd /usr/share/gromox/Types.xsd\n";

struct gx_http_files {
	pthread_rwlock_t lock;
	struct http_map map;
	char *path;
};

static int read_map(const char *path, struct http_map *m, struct gx_arena *a, const char **ret_why)
{
	int ret = gx_http__map_read(m, path, builtin, 3, "expected three words: HOST /PATH /TARGET", a, ret_why);
	for (size_t i = 0; ret == 0 && i < m->lines; ++i) {
		if (http_map_word(m, i, 1)[0] == '/' && http_map_word(m, i, 2)[0] == '/')
			continue;
		*ret_why = gx_arena_printf(a, "%s, line %u: path and target have to start with a slash", path == NULL ? "the built-in map" : path,
			m->numbers[i]);
		gx_http__map_release(m);
		ret = GX_E_FORMAT;
	}
	return ret;
}

int gx_http_files_new(const char *path, struct gx_http_files **ret_f, struct gx_arena *a, const char **ret_why)
{
	const char *why = NULL;
	struct gx_http_files *f = calloc(1, sizeof(*f));
	if (f == NULL)
		return GX_E_NOMEM;
	pthread_rwlock_init(&f->lock, NULL);
	f->path = path == NULL ? NULL : strdup(path);
	int ret = path != NULL && f->path == NULL ? GX_E_NOMEM : read_map(path, &f->map, a, ret_why != NULL ? ret_why : &why);
	if (ret != 0)
		gx_http_files_free(f);
	else
		*ret_f = f;
	return ret;
}

int gx_http_files_reload(struct gx_http_files *f, struct gx_arena *a, const char **ret_why)
{
	const char *why = NULL;
	struct http_map m;
	int ret = read_map(f->path, &m, a, ret_why != NULL ? ret_why : &why);
	if (ret != 0)
		return ret;
	pthread_rwlock_wrlock(&f->lock);
	struct http_map old = f->map;
	f->map = m;
	pthread_rwlock_unlock(&f->lock);
	gx_http__map_release(&old);
	return 0;
}

void gx_http_files_free(struct gx_http_files *f)
{
	if (f == NULL)
		return;
	gx_http__map_release(&f->map);
	pthread_rwlock_destroy(&f->lock);
	free(f->path);
	free(f);
}

/* Path in the file system; NULL: no entry is for it. */
static const char *find_entry(const struct gx_http_files *f, struct gx_http_req *r)
{
	size_t best = 0;
	const char *target = NULL;
	for (size_t i = 0; i < f->map.lines; ++i) {
		size_t n = gx_http__below(http_map_word(&f->map, i, 1), r->path);
		if (n <= best || !gx_http__host_matches(http_map_word(&f->map, i, 0), r->host))
			continue;
		best = n;
		target = http_map_word(&f->map, i, 2);
	}
	if (target == NULL)
		return NULL;
	const char *rest = r->path + best;
	return gx_arena_printf(r->arena, "%s%s%s", target, *rest == '\0' || *rest == '/' ? "" : "/", rest);
}

static const char *find(struct gx_http_files *f, struct gx_http_req *r)
{
	pthread_rwlock_rdlock(&f->lock);
	const char *path = find_entry(f, r);
	pthread_rwlock_unlock(&f->lock);
	return path;
}

static const char *type_of(const char *path)
{
	static const struct {
		const char *suffix, *type;
	} all[] = {
		{"css", "text/css; charset=utf-8"}, {"csv", "text/csv"}, {"gif", "image/gif"}, {"htm", "text/html; charset=utf-8"},
		{"html", "text/html; charset=utf-8"}, {"ico", "image/vnd.microsoft.icon"}, {"jpeg", "image/jpeg"}, {"jpg", "image/jpeg"},
		{"js", "text/javascript; charset=utf-8"}, {"json", "application/json"}, {"lzx", "application/octet-stream"},
		{"map", "application/json"}, {"mjs", "text/javascript; charset=utf-8"}, {"mp3", "audio/mpeg"}, {"oga", "audio/ogg"},
		{"otf", "font/otf"}, {"pdf", "application/pdf"}, {"png", "image/png"}, {"svg", "image/svg+xml"}, {"ttf", "font/ttf"},
		{"txt", "text/plain; charset=utf-8"}, {"wasm", "application/wasm"}, {"wav", "audio/wav"}, {"webmanifest", "application/manifest+json"},
		{"webp", "image/webp"}, {"woff", "font/woff"}, {"woff2", "font/woff2"}, {"wsdl", "text/xml"}, {"xml", "text/xml"},
		{"xsd", "text/xml"}, {"zip", "application/zip"},
	};
	const char *dot = strrchr(path, '.');
	for (unsigned i = 0; dot != NULL && i < sizeof(all) / sizeof(all[0]); ++i)
		if (gx_ascii_casecmp(dot + 1, all[i].suffix) == 0)
			return all[i].type;
	return "application/octet-stream";
}

struct object {
	int fd;
	uint64_t size;
	int64_t mtime;
	const char *tag, *date;
};

static int open_object(struct gx_http_req *r, const char *path, struct object *ob)
{
	struct stat st;
	char date[30];
	/* Not to wait for a FIFO that somebody has put there. */
	ob->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (ob->fd < 0)
		return errno == EACCES ? GX_E_STATE : GX_E_NOTFOUND;
	if (fstat(ob->fd, &st) != 0 || !S_ISREG(st.st_mode)) {
		close(ob->fd);
		return GX_E_NOTFOUND;
	}
	ob->size = (uint64_t)st.st_size;
	ob->mtime = st.st_mtim.tv_sec;
	ob->tag = gx_arena_printf(r->arena, "\"%llx-%llx-%llx\"", (unsigned long long)st.st_ino, (unsigned long long)st.st_size,
		(unsigned long long)st.st_mtim.tv_sec * 1000000000 + (unsigned long long)st.st_mtim.tv_nsec);
	gx_http_print_date(ob->mtime, date);
	ob->date = gx_arena_strdup(r->arena, date);
	if (ob->tag != NULL && ob->date != NULL)
		return 0;
	close(ob->fd);
	return GX_E_NOMEM;
}

/* Is the tag in a list like: "a", W/"b"? */
static bool has_tag(const char *list, const char *tag)
{
	size_t n = strlen(tag);
	if (strcmp(list, "*") == 0)
		return true;
	for (const char *p = list; (p = strstr(p, tag)) != NULL; p += n)
		if (p == list || p[-1] == ' ' || p[-1] == ',' || p[-1] == '/' || p[-1] == '\t')
			return true;
	return false;
}

static bool not_modified(const struct gx_http_req *r, const struct object *ob)
{
	const char *tags = gx_http_header(r, "If-None-Match"), *since = gx_http_header(r, "If-Modified-Since");
	int64_t t;
	if (tags != NULL)
		return has_tag(tags, ob->tag);
	return since != NULL && gx_http_parse_date(since, &t) == 0 && ob->mtime <= t;
}

/* 200, 206 or 416. */
static unsigned choose_range(const struct gx_http_req *r, const struct object *ob, uint64_t *ret_off, uint64_t *ret_len)
{
	const char *range = gx_http_header(r, "Range"), *only_if = gx_http_header(r, "If-Range");
	*ret_off = 0;
	*ret_len = ob->size;
	if (range == NULL || (only_if != NULL && strcmp(only_if, ob->tag) != 0 && strcmp(only_if, ob->date) != 0))
		return 200;
	int ret = gx_http_parse_range(range, ob->size, ret_off, ret_len);
	return ret == 0 ? 206 : ret == GX_E_RANGE ? 416 : 200;
}

static void set(struct gx_http_req *r, const char *name, const char *value)
{
	if (value != NULL)
		(void)!gx_http_set(r, name, value);
}

static void send_object(struct gx_http_req *r, const struct object *ob, const char *type)
{
	uint64_t off, len;
	set(r, "ETag", ob->tag);
	set(r, "Last-Modified", ob->date);
	set(r, "Accept-Ranges", "bytes");
	set(r, "X-Content-Type-Options", "nosniff");
	unsigned status = not_modified(r, ob) ? 304 : choose_range(r, ob, &off, &len);
	if (status == 206)
		set(r, "Content-Range", gx_arena_printf(r->arena, "bytes %llu-%llu/%llu", (unsigned long long)off,
			(unsigned long long)(off + len - 1), (unsigned long long)ob->size));
	else if (status == 416)
		set(r, "Content-Range", gx_arena_printf(r->arena, "bytes */%llu", (unsigned long long)ob->size));
	if (status == 304 || status == 416) {
		close(ob->fd);
		gx_http_reply_status(r, status, NULL);
		return;
	}
	gx_http_reply_file(r, status, type, ob->fd, off, len);
}

void gx_http_files_send(struct gx_http_req *r, const char *path)
{
	struct object ob;
	if ((r->method_bit & (GX_HTTP_GET | GX_HTTP_HEAD)) == 0) {
		set(r, "Allow", "GET, HEAD");
		gx_http_reply_status(r, 405, NULL);
		return;
	}
	int ret = open_object(r, path, &ob);
	if (ret == 0)
		send_object(r, &ob, type_of(path));
	else
		gx_http_reply_status(r, ret == GX_E_NOTFOUND ? 404 : ret == GX_E_STATE ? 403 : 503, NULL);
}

bool gx_http_files_serve(struct gx_http_files *f, struct gx_http_req *r)
{
	const char *path = find(f, r);
	if (path != NULL)
		gx_http_files_send(r, path);
	return path != NULL;
}
