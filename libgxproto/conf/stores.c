/* SPDX-License-Identifier: Apache-2.0 */
/* What stores do and do not, by the directives of the group STORE. */
#include <config.h>
#include <string.h>
#include <gx/charset.h>
#include <gx/directives.h>
#include <gx/store.h>

enum { LEVEL_MOST = 19, YES_LEVEL = 6 };

static unsigned number(const struct gx_conf *c, const char *key)
{
	return (unsigned)gx_conf_uint(c, key);
}

/* zstd-LEVEL */
static int level_of(const char *text)
{
	uint64_t n;
	if (gx_ascii_ncasecmp(text, "zstd-", 5) != 0 || gx_conf_parse_size(text + 5, &n) != 0 || n < 1 || n > LEVEL_MOST)
		return 0;
	return (int)n;
}

int gx_directives_compression(const struct gx_conf *c, const struct gx_log *log, int *ret_level)
{
	const char *text = gx_conf_str(c, "exmdb_file_compression");
	int n = gx_ascii_casecmp(text, "no") == 0 ? -1 : gx_ascii_casecmp(text, "yes") == 0 ? YES_LEVEL : level_of(text);
	if (n == 0) {
		gx_log(log, GX_LOG_CRIT, "%s: exmdb_file_compression = %s: expected no, yes, or zstd-LEVEL with a level from 1 to %d",
		       gx_conf_origin(c, "exmdb_file_compression"), text, LEVEL_MOST);
		return GX_E_INVAL;
	}
	*ret_level = n;
	return 0;
}

void gx_directives_store(const struct gx_conf *c, struct gx_store_opts *o)
{
	o->max_readers = number(c, "store_readers_max");
	o->cache_kib = (unsigned)(gx_conf_uint(c, "store_cache") / 1024);
	o->search_pacing = number(c, "exmdb_search_pacing");
	o->search_pacing_ms = number(c, "exmdb_search_pacing_time") * 1000;
	o->max_rules = number(c, "max_rule_number");
	o->max_ext_rules = number(c, "max_ext_rule_number");
	o->max_messages = gx_conf_uint(c, "max_store_message_count");
	o->folders_go = !gx_conf_bool(c, "exmdb_private_folder_softdelete");
	o->one_read_state = number(c, "exmdb_pf_read_per_user") == 0;
	o->pf_reads = (uint8_t)(GX_PF_ALL_READ - number(c, "exmdb_pf_read_states"));
	o->no_upgrade = !gx_conf_bool(c, "exmdb_schema_upgrades");
	o->no_synthesis = !gx_conf_bool(c, "exmdb_body_autosynthesis");
	o->log_sql = number(c, "sqlite_debug") != 0;
}

const char *gx_directives_lang(const struct gx_conf *c)
{
	const char *older = gx_conf_is_set(c, "default_lang") && !gx_conf_is_set(c, "user_default_lang") ? "default_lang" : "user_default_lang";
	return gx_conf_str(c, older);
}
