/* SPDX-License-Identifier: Apache-2.0 */
/* What there is: the commands with their options, in the order in which help shows them. */
#include <config.h>
#include <limits.h>
#include <string.h>
#include "libgxproto/mbop/mbop-int.h"

#define FOLDERS .args = "FOLDER ...", .operands = GX_MBOP_FOLDER, .min = 1, .max = UINT_MAX
#define USERMAP {'m', NULL, "FILE", "the map of users, JSON", GX_MBOP_USERMAP, true}, \
	{'r', NULL, NULL, "folders below, too", GX_MBOP_FLAG, false}

static const struct gx_mbop_entry entries[] = {
	{{.name = "(", .help = "run several commands one after the other", .args = "COMMAND ... ) ( COMMAND ... ) ...",
		.operands = GX_MBOP_COMMAND, .min = 1, .max = UINT_MAX}, .run = NULL},
	{{.name = "cgkreset", .help = "give all folders and messages new change numbers", .args = ""},
		.run = gx_mbop__cgkreset},
	{{.name = "clear-photo", .help = "delete the picture of the user", .args = ""}, .run = gx_mbop__clear_photo},
	{{.name = "clear-profile", .help = "delete the profile of PHP-MAPI", .args = ""},
		.run = gx_mbop__clear_profile},
	{{.name = "clear-rwz", .help = "delete what Outlook's rule wizard keeps in the inbox", .args = ""},
		.run = gx_mbop__clear_rwz},
	{{.name = "delmsg", .help = "delete messages by their numbers", .args = "[ID ...]",
		.operands = GX_MBOP_MESSAGE, .max = UINT_MAX,
		.option = {{'f', NULL, "FOLDER", "the folder that they are in", GX_MBOP_FOLDER, true},
			{0, "soft", NULL, "so that they can be restored", GX_MBOP_FLAG, false}}},
		.run = gx_mbop__delmsg},
	{{.name = "echo-maildir", .help = "print the directory of the mailbox", .args = ""},
		.run = gx_mbop__echo_maildir, .offline = true},
	{{.name = "echo-username", .help = "print the address of the user", .args = ""},
		.run = gx_mbop__echo_username, .offline = true},
	{{.name = "emptyfld", .help = "remove what is in folders", FOLDERS,
		.option = {{'M', NULL, NULL, "leave normal messages alone", GX_MBOP_FLAG, false},
			{'R', NULL, NULL, "folders below, too", GX_MBOP_FLAG, false},
			{'a', NULL, NULL, "associated messages, too", GX_MBOP_FLAG, false},
			{'t', NULL, "AGE", "only what was last modified so long ago", GX_MBOP_AGE, false},
			{0, "delempty", NULL, "delete subfolders that are empty then", GX_MBOP_FLAG, false},
			{0, "nuke-folders", NULL, "delete subfolders with all that is in them", GX_MBOP_FLAG, false},
			{0, "soft", NULL, "so that it can be restored", GX_MBOP_FLAG, false}}},
		.run = gx_mbop__emptyfld, .check = gx_mbop__emptyfld_check},
	{{.name = "exaddrxlat", .help = "make SMTP addresses of addresses of type EX", FOLDERS, .option = {USERMAP}},
		.run = gx_mbop__exaddrxlat},
	{{.name = "foreach.*", .help = "run commands on every mailbox that the filters let through", .args = "COMMAND ...",
		.operands = GX_MBOP_COMMAND, .min = 1, .max = UINT_MAX,
		.option = {{'j', NULL, "JOBS", "how many at once, 0 as many as are good [1]", GX_MBOP_NUMBER, false}}},
		.run = NULL},
	{{.name = "freeze", .help = "refuse all work on the mailbox", .args = "",  .parallel = true,
		.option = {{0, "no-wait", NULL, "do not wait for what is running", GX_MBOP_FLAG, false}}},
		.run = gx_mbop__freeze},
	{{.name = "get-freebusy", .help = "show when the owner is busy", .args = "",
		.option = {{'a', NULL, "TIME", "from then on", GX_MBOP_TIME, false},
			{'b', NULL, "TIME", "until then", GX_MBOP_TIME, false},
			{'x', NULL, "ADDRESS", "what this user may see", GX_MBOP_ADDRESS, false}}},
		.run = gx_mbop__get_freebusy, .check = gx_mbop__freebusy_check},
	{{.name = "get-photo", .help = "write the picture of the user to stdout", .args = ""},
		.run = gx_mbop__get_photo},
	{{.name = "get-websettings", .help = "write settings of the web client to stdout", .args = ""},
		.run = gx_mbop__get_settings},
	{{.name = "get-websettings-persistent", .help = "write those that outlive a reset", .args = ""},
		.run = gx_mbop__get_persistent},
	{{.name = "get-websettings-recipients", .help = "write its history of recipients", .args = ""},
		.run = gx_mbop__get_recipients},
	{{.name = "ping", .help = "have the mailbox opened", .args = "", .parallel = true}, .run = gx_mbop__ping},
	{{.name = "purge-datafiles", .help = "remove files that no message refers to", .args = "", .parallel = true},
		.run = gx_mbop__purge_datafiles},
	{{.name = "purge-softdelete", .help = "remove for good what was deleted softly", FOLDERS,
		.option = {{'r', NULL, NULL, "folders below, too", GX_MBOP_FLAG, false},
			{'t', NULL, "AGE", "only what was last modified so long ago [0]", GX_MBOP_AGE, false}}, .parallel = true},
		.run = gx_mbop__purge_softdelete},
	{{.name = "recalc-sizes", .help = "count messages and their sizes again", .args = "", .parallel = true},
		.run = gx_mbop__recalc_sizes},
	{{.name = "set-locale", .help = "set the language of the user and of folder names", .args = "",
		.option = {{'T', NULL, NULL, "measure how fast folders can be renamed", GX_MBOP_FLAG, false},
			{'l', NULL, "LOCALE", "as ja_JP, de", GX_MBOP_LOCALE, true},
			{'v', NULL, NULL, "say each name", GX_MBOP_FLAG, false}}},
		.run = gx_mbop__set_locale},
	{{.name = "set-photo", .help = "read a picture of the user from stdin", .args = ""}, .run = gx_mbop__set_photo, .input = true},
	{{.name = "set-websettings", .help = "read settings of the web client from stdin", .args = ""},
		.run = gx_mbop__set_settings, .input = true},
	{{.name = "set-websettings-persistent", .help = "read those that outlive a reset", .args = ""},
		.run = gx_mbop__set_persistent, .input = true},
	{{.name = "set-websettings-recipients", .help = "read its history of recipients", .args = ""},
		.run = gx_mbop__set_recipients, .input = true},
	{{.name = "sync-midb", .help = "see that IMAP has the mailbox as it is", .args = "",
		.option = {{'f', NULL, "FOLDER|all", "count this folder, or all, again", GX_MBOP_FOLDER_OR_ALL, false}}},
		.run = gx_mbop__sync_midb},
	{{.name = "thaw", .help = "allow work on the mailbox again", .args = "", .parallel = true},
		.run = gx_mbop__thaw},
	{{.name = "unload", .help = "have the mailbox closed", .args = "", .parallel = true}, .run = gx_mbop__unload},
	{{.name = "vacuum", .help = "give unused space in the mailbox back", .args = "", .parallel = true},
		.run = gx_mbop__vacuum},
	{{.name = "zaddrxlat", .help = "make SMTP addresses of addresses of type ZARAFA", FOLDERS, .option = {USERMAP}},
		.run = gx_mbop__zaddrxlat},
};
enum { ENTRIES = sizeof(entries) / sizeof(entries[0]) };

const struct gx_mbop_command *gx_mbop_command(size_t i)
{
	return i < ENTRIES ? &entries[i].c : NULL;
}

const struct gx_mbop_entry *gx_mbop__entry(const char *name)
{
	size_t i = 0;
	while (i < ENTRIES && strcmp(entries[i].c.name, name) != 0)
		++i;
	return i < ENTRIES ? &entries[i] : NULL;
}

const struct gx_mbop_value *gx_mbop__opt(const struct gx_mbop_cmd *c, const char *name)
{
	static const struct gx_mbop_value none = {.set = false};
	const struct gx_mbop_option *o = c->e->c.option;
	for (size_t i = 0; i < GX_MBOP_OPTIONS; ++i)
		if (name[1] == '\0' ? o[i].letter == name[0] : o[i].name != NULL && strcmp(o[i].name, name) == 0)
			return &c->v[i];
	return &none;
}
