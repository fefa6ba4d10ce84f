/* SPDX-License-Identifier: Apache-2.0 */
/* Old and new clients. */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include "libgxproto/autodiscover/disco-int.h"

enum { FIRST_NEW = 15 }; /* Outlook 2013 */

/* Major version of Outlook, 0: it is none. "Microsoft Office/16.0 (...; Microsoft Outlook 16.0.4266; Pro)" */
static long version_of(const struct gx_http_req *r)
{
	static const char *const marks[] = {"Microsoft Office/", "Microsoft Outlook ", "Outlook/"};
	const char *agent = gx_http_header(r, "User-Agent"), *at;
	for (size_t i = 0; agent != NULL && i < sizeof(marks) / sizeof(*marks); ++i)
		if ((at = strstr(agent, marks[i])) != NULL)
			return strtol(at + strlen(marks[i]), NULL, 10);
	return 0;
}

bool gx_disco__told(unsigned whom, const struct gx_http_req *r)
{
	const char *capability = gx_http_header(r, "X-MapiHttpCapability");
	long version = version_of(r);
	bool is_new = version >= FIRST_NEW || (capability != NULL && strtol(capability, NULL, 10) > 0); /* [MS-OXDSCLI] 2.2.2.1 */
	bool is_old = !is_new && version > 0;
	switch (whom) {
	case GX_DISCO_YES: return true;
	case GX_DISCO_NOT_OLD_MSO:
	case GX_DISCO_SERVICES: return !is_old;
	case GX_DISCO_ONLY_NEW_MSO: return is_new;
	case GX_DISCO_ONLY_OLD_MSO: return is_old;
	case GX_DISCO_NOT_NEW_MSO: return !is_new;
	default: return false;
	}
}

int gx_disco_parse_whom(const char *text, unsigned *ret_whom)
{
	static const char *const words[] = {
		[GX_DISCO_NO] = "no", [GX_DISCO_YES] = "yes", [GX_DISCO_NOT_OLD_MSO] = "not_old_mso", [GX_DISCO_ONLY_NEW_MSO] = "only_new_mso",
		[GX_DISCO_ONLY_OLD_MSO] = "only_old_mso", [GX_DISCO_NOT_NEW_MSO] = "not_new_mso",
		[GX_DISCO_SERVICES] = "services",
	};
	for (unsigned i = 0; i < sizeof(words) / sizeof(*words); ++i) {
		if (strcmp(text, words[i]) != 0)
			continue;
		*ret_whom = i;
		return 0;
	}
	return GX_E_FORMAT;
}

int gx_disco_parse_services(const char *text, uint32_t *ret_services)
{
	static const char *const words[] = {"ews", "oab", "eas", "web"};
	uint32_t bits = 0;
	for (const char *p = text + strspn(text, " \t"); *p != '\0'; p += strspn(p, " \t")) {
		size_t n = strcspn(p, " \t"), i = 0;
		while (i < sizeof(words) / sizeof(*words) && (strlen(words[i]) != n || strncmp(words[i], p, n) != 0))
			++i;
		if (i == sizeof(words) / sizeof(*words))
			return GX_E_FORMAT;
		bits |= 1u << i;
		p += n;
	}
	*ret_services = bits;
	return 0;
}
