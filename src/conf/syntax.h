/* SPDX-License-Identifier: Apache-2.0
 *
 * The forms that values of the configuration have. Each function answers NULL
 * for a text of that form, else the end of a sentence that starts with the
 * option's name: what the value must be, and what to write. None of them
 * quotes the text.
 */
#ifndef VL_CONF_SYNTAX_H
#define VL_CONF_SYNTAX_H

#include "core/str.h"

const char *vl_syntax_line(struct vl_str text); /* words for people */
const char *vl_syntax_path(struct vl_str text);
const char *vl_syntax_env_name(struct vl_str text);
const char *vl_syntax_guid(struct vl_str text);
/* A GUID or a domain, and one tenant only. */
const char *vl_syntax_tenant(struct vl_str text);
const char *vl_syntax_client_id(struct vl_str text);
const char *vl_syntax_server_name(struct vl_str text);
const char *vl_syntax_scope(struct vl_str text);
const char *vl_syntax_property(struct vl_str text); /* of a Graph user */
/* https://host[:port], http on a loopback; as browsers write an origin. */
const char *vl_syntax_origin(struct vl_str text);
/* Of such an origin: is its host localhost, 127.0.0.1 or [::1]? */
bool vl_syntax_is_loopback(struct vl_str origin);
/* The same form; one slash at the end is allowed. */
const char *vl_syntax_host_url(struct vl_str text);
/* An IP address, or a network that is not everybody's. */
const char *vl_syntax_network(struct vl_str text);
const char *vl_syntax_redirect_uri(struct vl_str text);

#endif
