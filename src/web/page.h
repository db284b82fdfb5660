/* SPDX-License-Identifier: Apache-2.0
 *
 * The pages people see: templates compiled in from src/web/assets/, one
 * engine that escapes by default, one set of security headers (@spec W-69;
 * lesson 3.9). No page has script; all work without it.
 *
 * A template holds `{{name}}` (escaped for text and quoted attributes),
 * `{{#name}}…{{/name}}` (shown when the variable is present and not empty, or
 * once per row of the list of that name) and `{{^name}}…{{/name}}` (shown
 * otherwise). There is no unescaped form. An unknown name is an error; a
 * section asks, so there it means "not present". Sections nest up to eight
 * deep; a list stands in no other list's rows. Within a row its own names come
 * before the page's.
 */
#ifndef VL_WEB_PAGE_H
#define VL_WEB_PAGE_H

#include "core/buf.h"
#include "http/server.h"
#include "web/asset.h"

struct vl_page_var {
    const char *name;
    struct vl_str value;
};

struct vl_page_list {
    const char *name;
    const struct vl_page_var *vars; /* rows × width, row after row */
    size_t rows, width;
};

struct vl_page {
    const char *asset; /* file name without ending, e.g. "consent" */
    /* Where to look for it; NULL: the pages of web/assets. */
    const struct vl_asset *assets;
    struct vl_page_var vars[24];
    size_t var_count;
    struct vl_page_list lists[4];
    size_t list_count;
};

void vl_page_set(struct vl_page *page, const char *name, struct vl_str value);
/* The rows are borrowed. */
void vl_page_set_list(struct vl_page *page, const struct vl_page_list *list);

/*
 * Renders into `out`. VALET_INVALID for a template fault or a value that is
 * not UTF-8, VALET_NOT_FOUND for an unknown page, VALET_LIMIT when `out` is
 * full. Controls in values are shown as U+FFFD.
 */
valet_status vl_page_render(const struct vl_page *page, struct vl_buf *out,
                            valet_error *err) VALET_CHECK;

/* The same with the template's text instead of a compiled-in page. */
valet_status
vl_page_render_text(const struct vl_page *page, struct vl_str text,
                    struct vl_buf *out, valet_error *err) VALET_CHECK;

/*
 * Adds what every page carries: Content-Security-Policy (default-src 'none';
 * style by hash or 'self', form-action 'self', frame-ancestors 'none',
 * base-uri 'none'), Referrer-Policy, X-Content-Type-Options, X-Frame-Options,
 * Cache-Control: no-store.
 */
void vl_page_headers(struct vl_reply *reply);

/* Renders and answers; a page that cannot be rendered becomes a plain 500.
 * `reply` brings the status and further headers (cookies). */
void vl_page_reply(struct vl_exchange *x, const struct vl_page *page,
                   struct vl_reply *reply);

/*
 * The page that moves the browser on after a form post: 200 with a meta
 * refresh and a link, since browsers apply form-action to redirects that
 * follow a post. `url` is https, loopback http, or a registered custom scheme;
 * anything else is answered with an error page instead (@spec W-69).
 */
void vl_page_move_on(struct vl_exchange *x, struct vl_str title,
                     struct vl_str url, struct vl_reply *reply);

/* Something went wrong: what, what to do, and the correlation id (@spec
 * S-94). No detail of ours. */
void vl_page_error(struct vl_exchange *x, int status, const char *title,
                   const char *advice, const char *correlation);

#endif
