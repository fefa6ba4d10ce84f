/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_TOOLS_BTRFS_H
#define GX_TOOLS_BTRFS_H
/* Snapshots by btrfs(8). */
#include <gx/snapshot.h>

/* Is root a subvolume, and archive (which need not be there yet) on the same file system? */
bool btrfs_fits(const char *root, const char *archive);
extern const struct gx_snapshot_fs btrfs_calls;

#endif
