/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "libgxstore/calls/scenario-int.h"

const struct scenario scenarios[] = {
	{"store", scene_store}, {"names", scene_names}, {"settings", scene_settings}, {"upkeep", scene_upkeep},
	{"events", scene_events}, {"batch", scene_batch}, {"folder", scene_folder}, {"tree", scene_tree}, {"receive", scene_receive},
	{"message", scene_message}, {"transfer", scene_transfer}, {"sync", scene_sync}, {"files", scene_files},
	{"permission", scene_permission}, {"rule", scene_rule}, {"table", scene_table},
	{"categories", scene_categories}, {"other tables", scene_other_tables}, {"table events", scene_table_events},
	{"search", scene_search}, {"contact", scene_contact},
	{"instance", scene_instance}, {"whole instance", scene_instance_whole}, {"recipients", scene_instance_rcpts},
	{"attachments", scene_instance_atts}, {"embedded", scene_embedded}, {"deliver", scene_deliver}, {"quota", scene_quota}, {NULL, NULL},
};
