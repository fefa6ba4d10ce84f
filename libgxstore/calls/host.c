/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <gx/strbuf.h>
#include "libgxstore/calls/call-int.h"

static int64_t now_ms(const struct gx_exmdb_host *h)
{
	return gx_clock_mono_ms(h->o.clock);
}

static void set_defaults(struct gx_exmdb_host_opts *o)
{
	if (o->clock == NULL)
		o->clock = gx_clock_system();
	if (o->deadline_ms == 0)
		o->deadline_ms = 30000;
	if (o->linger_ms == 0)
		o->linger_ms = 60000;
	if (o->max_objects == 0)
		o->max_objects = 1000;
	if (o->max_events == 0)
		o->max_events = 10000;
	if (o->txn_idle_ms == 0)
		o->txn_idle_ms = 10000;
	if (o->max_message == 0)
		o->max_message = (size_t)256 << 20;
}

/* What this life of the machine is known by: commits survive a crash of the program, but not always one of the machine. */
static uint64_t boot_number(void)
{
	char text[64] = "";
	uint64_t h = UINT64_C(14695981039346656037); /* FNV-1a */
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
	if (fd >= 0)
		close(fd);
	struct gx_guid g;
	if (n < 32 && gx_guid_random(&g) == 0) /* not known: this life of the program */
		n = snprintf(text, sizeof(text), "%08x%04x%04x%02x%02x", (unsigned)g.d1, g.d2, g.d3, g.d4[0], g.d4[1]);
	for (ssize_t i = 0; i < n; ++i)
		h = (h ^ (uint8_t)text[i]) * UINT64_C(1099511628211);
	return h == 0 ? 1 : h;
}

int gx_exmdb_host_new(const struct gx_exmdb_host_opts *o, struct gx_exmdb_host **ret_h)
{
	if (o == NULL || o->size != sizeof(*o) || (o->pool == NULL && (o->relay == NULL || o->relay_only != NULL)) || ret_h == NULL)
		return GX_E_INVAL;
	struct gx_exmdb_host *h = calloc(1, sizeof(*h));
	if (h == NULL)
		return GX_E_NOMEM;
	h->o = *o;
	set_defaults(&h->o);
	h->boot = boot_number();
	h->org = strdup(o->org_name != NULL && *o->org_name != '\0' ? o->org_name : "Gromox default");
	h->relay_only = o->relay_only != NULL ? strdup(o->relay_only) : NULL;
	if (h->org == NULL || (o->relay_only != NULL && h->relay_only == NULL) || gx_strv_copy(o->prefixes, &h->prefixes) != 0 ||
	    pthread_mutex_init(&h->lock, NULL) != 0) {
		free(h->org);
		free(h->relay_only);
		gx_strv_free(h->prefixes);
		free(h);
		return GX_E_NOMEM;
	}
	*ret_h = h;
	return 0;
}

static void client_free(struct gx_exmdb_client *cl)
{
	gx_callobj__drop_client(cl);
	gx_callev__clear(cl);
	gx_exmdb_free(cl->relay);
	pthread_mutex_destroy(&cl->lock);
	free(cl->remote_id);
	free(cl);
}

/* The first client that is gone since before @limit, taken out of the list. */
static struct gx_exmdb_client *take_gone(struct gx_exmdb_host *h, int64_t limit)
{
	pthread_mutex_lock(&h->lock);
	struct gx_exmdb_client **at = &h->clients, *cl = NULL;
	while (*at != NULL && ((*at)->users > 0 || (*at)->gone_at > limit))
		at = &(*at)->next;
	if (*at != NULL) {
		cl = *at;
		*at = cl->next;
	}
	pthread_mutex_unlock(&h->lock);
	return cl;
}

void gx_exmdb_host_tick(struct gx_exmdb_host *h)
{
	struct gx_exmdb_client *cl;
	int64_t limit = now_ms(h) - h->o.linger_ms;
	while ((cl = take_gone(h, limit)) != NULL) {
		gx_log(h->o.log, GX_LOG_INFO, "exmdb: client %s is gone, what it had open is closed", cl->remote_id);
		client_free(cl);
	}
}

void gx_exmdb_host_free(struct gx_exmdb_host *h)
{
	struct gx_exmdb_client *cl;
	if (h == NULL)
		return;
	while ((cl = take_gone(h, INT64_MAX)) != NULL)
		client_free(cl);
	pthread_mutex_destroy(&h->lock);
	gx_strv_free(h->prefixes);
	free(h->relay_only);
	free(h->org);
	free(h);
}

bool gx_host__serves(const struct gx_exmdb_host *h, const char *dir)
{
	/* a path that climbs is never one that a directory service gave out */
	if (dir[0] != '/' || strstr(dir, "/../") != NULL)
		return false;
	size_t n = strlen(dir);
	if (n >= 3 && strcmp(dir + n - 3, "/..") == 0)
		return false;
	if (h->prefixes == NULL)
		return true;
	for (char **p = h->prefixes; *p != NULL; ++p) {
		size_t len = strlen(*p);
		while (len > 1 && (*p)[len - 1] == '/')
			--len;
		if (strncmp(dir, *p, len) == 0 && (dir[len] == '/' || dir[len] == '\0' || len == 1))
			return true;
	}
	return false;
}

/* ---- Clients ---- */

static struct gx_exmdb_client *client_new(struct gx_exmdb_host *h, const char *remote_id)
{
	struct gx_exmdb_client *cl = calloc(1, sizeof(*cl));
	if (cl == NULL || (cl->remote_id = strdup(remote_id)) == NULL ||
	    (h->o.relay != NULL && h->o.relay(remote_id, &cl->relay, h->o.relay_ctx) != 0) || pthread_mutex_init(&cl->lock, NULL) != 0) {
		if (cl != NULL)
			gx_exmdb_free(cl->relay);
		if (cl != NULL)
			free(cl->remote_id);
		free(cl);
		return NULL;
	}
	cl->host = h;
	cl->tail = &cl->head;
	return cl;
}

int gx_exmdb_client_get(struct gx_exmdb_host *h, const char *remote_id, struct gx_exmdb_client **ret_c)
{
	if (h == NULL || remote_id == NULL || *remote_id == '\0' || strlen(remote_id) > 255 || ret_c == NULL)
		return GX_E_INVAL;
	pthread_mutex_lock(&h->lock);
	struct gx_exmdb_client *cl = h->clients;
	while (cl != NULL && strcmp(cl->remote_id, remote_id) != 0)
		cl = cl->next;
	if (cl == NULL && (cl = client_new(h, remote_id)) != NULL) {
		cl->next = h->clients;
		h->clients = cl;
	}
	if (cl != NULL)
		++cl->users;
	pthread_mutex_unlock(&h->lock);
	*ret_c = cl;
	return cl != NULL ? 0 : GX_E_NOMEM;
}

void gx_exmdb_client_put(struct gx_exmdb_client *cl)
{
	if (cl == NULL)
		return;
	struct gx_exmdb_host *h = cl->host;
	pthread_mutex_lock(&h->lock);
	if (--cl->users == 0)
		cl->gone_at = now_ms(h);
	pthread_mutex_unlock(&h->lock);
}
