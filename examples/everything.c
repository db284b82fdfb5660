/* SPDX-License-Identifier: Apache-2.0
 *
 * All that valet/mcp.h can do, as one server: it carries every fixture that the
 * official conformance suite asks for (@modelcontextprotocol/conformance
 * 0.1.16 and 0.2.0-alpha.12). Read stdio_server.c and http_server.c first.
 *
 *     cc everything.c $(pkg-config --cflags --libs valet)
 *     ./a.out                        to the client at standard input and output
 *     ./a.out --http 127.0.0.1:0     to everybody on this machine
 *     ./a.out --config valet.yaml    to everybody who signs in
 *
 * Over HTTP it prints {"event":"ready","url":"…"} when clients may come. What
 * stands in brackets in a comment is the scenario that wants what follows; a
 * scenario without one asks for nothing that the library does not do by itself.
 */
#define _GNU_SOURCE /* vasprintf, nanosleep */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <valet/mcp.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define NO_ARGUMENTS "{\"type\":\"object\"}"

/* --- helpers --- */

/* One pixel, red (PNG), and one sample, silent (WAV). */
static const unsigned char png[] = {
    0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0x00, 0x00, 0x00, 0x0d,
    0x49, 0x48, 0x44, 0x52, 0x00, 0x00, 0x00, 0x01, 0x00, 0x00, 0x00, 0x01,
    0x08, 0x06, 0x00, 0x00, 0x00, 0x1f, 0x15, 0xc4, 0x89, 0x00, 0x00, 0x00,
    0x0d, 0x49, 0x44, 0x41, 0x54, 0x78, 0xda, 0x63, 0xfc, 0xcf, 0xc0, 0xf0,
    0x1f, 0x00, 0x05, 0x05, 0x02, 0x00, 0x5f, 0xc8, 0xf1, 0xd2, 0x00, 0x00,
    0x00, 0x00, 0x49, 0x45, 0x4e, 0x44, 0xae, 0x42, 0x60, 0x82};
static const unsigned char wav[] = {
    0x52, 0x49, 0x46, 0x46, 0x26, 0x00, 0x00, 0x00, 0x57, 0x41, 0x56,
    0x45, 0x66, 0x6d, 0x74, 0x20, 0x10, 0x00, 0x00, 0x00, 0x01, 0x00,
    0x01, 0x00, 0x40, 0x1f, 0x00, 0x00, 0x00, 0x7d, 0x00, 0x00, 0x02,
    0x00, 0x10, 0x00, 0x64, 0x61, 0x74, 0x61, 0x02, 0x00, 0x00, 0x00};

__attribute__((format(printf, 2, 3))) static void
say(valet_mcp_call *call, const char *format, ...)
{
    char *text;
    va_list args;
    va_start(args, format);
    int size = vasprintf(&text, format, args);
    va_end(args);
    if (size < 0)
        abort(); /* out of memory */
    valet_mcp_finish(call, &(valet_mcp_result){.text = text});
    free(text);
}

/* Only where VALET_MCP_ON_THREAD stands: other calls wait meanwhile. */
static void
rest(long ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

static const char *
either(const char *text, const char *otherwise)
{
    return text ? text : otherwise;
}

/* A form with one member, which is required. */
#define FORM(name, type)                                                       \
    "{\"type\":\"object\",\"properties\":{\"" name "\":{\"type\":\"" type      \
    "\"}},\"required\":[\"" name "\"]}"

/* --- what never changes --- */

/* The same for everybody: ctx is the result. */
static void
give(valet_mcp_call *call, void *ctx)
{
    valet_mcp_finish(call, ctx);
}

/* [tools-call-simple-text] */
static valet_mcp_result a_text = {
    .text = "This is a simple text response for testing."};

/* [tools-call-image] */
static const valet_mcp_content image = {.kind = VALET_MCP_IMAGE,
                                        .data = png,
                                        .size = sizeof png,
                                        .mime_type = "image/png"};
static valet_mcp_result an_image = {.content = &image, .content_count = 1};

/* [tools-call-audio] */
static const valet_mcp_content audio = {.kind = VALET_MCP_AUDIO,
                                        .data = wav,
                                        .size = sizeof wav,
                                        .mime_type = "audio/wav"};
static valet_mcp_result a_sound = {.content = &audio, .content_count = 1};

/* [tools-call-embedded-resource] */
static const valet_mcp_content embedded = {
    .kind = VALET_MCP_EMBEDDED,
    .uri = "test://embedded-resource",
    .mime_type = "text/plain",
    .text = "This is an embedded resource content."};
static valet_mcp_result a_resource = {.content = &embedded, .content_count = 1};

/* [tools-call-mixed-content] */
static const valet_mcp_content mixed[] = {
    {.text = "Multiple content types test:"},
    {.kind = VALET_MCP_IMAGE,
     .data = png,
     .size = sizeof png,
     .mime_type = "image/png"},
    {.kind = VALET_MCP_EMBEDDED,
     .uri = "test://mixed-content-resource",
     .mime_type = "application/json",
     .text = "{\"test\":\"data\",\"value\":123}"},
};
static valet_mcp_result a_mixture = {.content = mixed,
                                     .content_count = COUNT(mixed)};

/* [tools-call-error] */
static valet_mcp_result a_failure = {
    .text = "This tool intentionally returns an error for testing",
    .is_error = true};

/* --- tools: what they say and do --- */

/* [json-schema-2020-12], [http-custom-header-server-validation]: what matters
 * is the input schema. */
static void
repeat(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    say(call, "Called with %s", valet_mcp_arguments(call, NULL));
}

/* [tasks-lifecycle], [tasks-request-headers] */
static void
greet(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    say(call, "Hello, %s!", valet_mcp_argument(call, "name"));
}

/* [tools-call-with-logging] wants three messages. */
static void
with_logging(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    valet_mcp_log(call, VALET_MCP_INFO, NULL, "Tool execution started");
    rest(50);
    valet_mcp_log(call, VALET_MCP_INFO, NULL, "Tool processing data");
    rest(50);
    valet_mcp_log(call, VALET_MCP_INFO, NULL, "Tool execution completed");
    say(call, "Three messages were logged.");
}

/* [tools-call-with-progress] wants three reports, each further. */
static void
with_progress(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    for (int done = 0; done <= 100; done += 50) {
        char message[64];
        snprintf(message, sizeof message, "Completed step %d of 100", done);
        valet_mcp_progress(call, done, 100, message);
        rest(50);
    }
    say(call, "All 100 steps are done.");
}

/* [server-stateless]: a request that did not ask for messages gets none. */
static void
logging(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    valet_mcp_log(call, VALET_MCP_INFO, "everything", "A diagnostic message");
    say(call, "A message was logged.");
}

/* [server-sse-polling]: the stream ends in the middle of the call, and the
 * client comes back for the result. */
static void
reconnection(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    valet_mcp_disconnect(call, 500);
    rest(200);
    say(call, "If you read this, you came back for it.");
}

/* --- tools: a server that changes --- */

/* [server-stateless]: clients that listen hear of it. Here a tool comes and
 * goes; handlers without VALET_MCP_ON_THREAD run on the server's thread and
 * may do that. */
static void
trigger_tool_change(valet_mcp_call *call, void *ctx)
{
    valet_mcp_server *server = ctx;
    static const valet_mcp_tool tool = {
        .name = "test_dynamic_tool",
        .description = "Comes and goes with test_trigger_tool_change",
        .input_schema = NO_ARGUMENTS,
        .permission = VALET_MCP_ANY_CALLER,
        .call = give,
        .ctx = &a_text,
    };
    valet_error error;
    if (!valet_mcp_remove_tool(server, tool.name) &&
        valet_mcp_add_tool(server, &tool, &error) != VALET_OK)
        valet_mcp_fail(call, error.status, error.message);
    else
        say(call, "The list of tools has changed.");
}

/* [server-stateless]: the same with a prompt. */
static void
trigger_prompt_change(valet_mcp_call *call, void *ctx)
{
    valet_mcp_server *server = ctx;
    static const valet_mcp_prompt prompt = {
        .name = "test_dynamic_prompt",
        .description = "Comes and goes with test_trigger_prompt_change",
        .permission = VALET_MCP_ANY_CALLER,
        .get = give,
        .ctx = &a_text,
    };
    valet_error error;
    if (!valet_mcp_remove_prompt(server, prompt.name) &&
        valet_mcp_add_prompt(server, &prompt, &error) != VALET_OK)
        valet_mcp_fail(call, error.status, error.message);
    else
        say(call, "The list of prompts has changed.");
}

/* Who listens for the watched resource hears of it. */
static void
trigger_resource_update(valet_mcp_call *call, void *ctx)
{
    valet_mcp_resource_updated(ctx, "test://watched-resource");
    say(call, "The watched resource has changed.");
}

/* --- tools: asking back --- */

/* [tools-call-sampling] */
static void
sampling(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    if (!valet_mcp_ask_model(call, "prompt", valet_mcp_argument(call, "prompt"),
                             100))
        valet_mcp_await(call);
    else
        say(call, "LLM response: %s",
            either(valet_mcp_sampled_text(call, "prompt"), "no text"));
}

static void
ask(valet_mcp_call *call, const char *message, const char *schema)
{
    const char *answer = valet_mcp_elicit(call, "form", message, schema);
    if (!answer)
        valet_mcp_await(call);
    else
        say(call, "User response: %s", answer);
}

/* [tools-call-elicitation] */
static void
elicitation(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    ask(call, valet_mcp_argument(call, "message"), FORM("response", "string"));
}

/* [elicitation-sep1034-defaults] */
static void
elicitation_defaults(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    ask(call, "Please review the form, which is filled in already",
        "{\"type\":\"object\",\"properties\":{"
        "\"name\":{\"type\":\"string\",\"default\":\"John Doe\"},"
        "\"age\":{\"type\":\"integer\",\"default\":30},"
        "\"score\":{\"type\":\"number\",\"default\":95.5},"
        "\"status\":{\"type\":\"string\",\"enum\":[\"active\",\"inactive\","
        "\"pending\"],\"default\":\"active\"},"
        "\"verified\":{\"type\":\"boolean\",\"default\":true}},"
        "\"required\":[]}");
}

/* [elicitation-sep1330-enums]: one or several of a list, with titles for people
 * and without, and the older way to give titles. */
static void
elicitation_enums(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
#define OPTIONS "[\"option1\",\"option2\",\"option3\"]"
#define TITLED                                                                 \
    "[{\"const\":\"value1\",\"title\":\"First\"},"                             \
    "{\"const\":\"value2\",\"title\":\"Second\"},"                             \
    "{\"const\":\"value3\",\"title\":\"Third\"}]"
    ask(call, "Please select options from the lists",
        "{\"type\":\"object\",\"properties\":{"
        "\"untitledSingle\":{\"type\":\"string\",\"enum\":" OPTIONS "},"
        "\"titledSingle\":{\"type\":\"string\",\"oneOf\":" TITLED "},"
        "\"legacyEnum\":{\"type\":\"string\",\"enum\":[\"opt1\",\"opt2\","
        "\"opt3\"],\"enumNames\":[\"One\",\"Two\",\"Three\"]},"
        "\"untitledMulti\":{\"type\":\"array\",\"minItems\":1,\"maxItems\":3,"
        "\"items\":{\"type\":\"string\",\"enum\":" OPTIONS "}},"
        "\"titledMulti\":{\"type\":\"array\",\"minItems\":1,\"maxItems\":3,"
        "\"items\":{\"anyOf\":" TITLED "}}},"
        "\"required\":[]}");
}

/* [server-stateless]: a client that did not say that it has a model is told
 * that this needs one. */
static void
missing_capability(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    if (!valet_mcp_ask_model(call, "hello", "Hello", 10))
        valet_mcp_await(call);
    else
        say(call, "Your model has answered.");
}

/* [server-stateless]: the question is a result, and no request in the stream of
 * this one. */
static void
streaming_elicitation(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    valet_mcp_progress(call, 50, 100, "Half of it is done");
    ask(call, "Shall I go on?", FORM("ok", "boolean"));
}

/* [input-required-result-basic-elicitation], -result-type, -validate-input,
 * -missing-input-response, -ignore-extra-params; the key is theirs. */
static void
input_elicitation(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    if (!valet_mcp_elicit(call, "user_name", "What is your name?",
                          FORM("name", "string")))
        valet_mcp_await(call);
    else
        say(call, "Hello, %s!",
            either(valet_mcp_form_text(call, "user_name", "name"), "stranger"));
}

/* [input-required-result-basic-sampling]: in all detail that MCP has. */
static void
input_sampling(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    if (!valet_mcp_sample(call, "capital_question",
                          "{\"messages\":[{\"role\":\"user\",\"content\":{"
                          "\"type\":\"text\","
                          "\"text\":\"What is the capital of France?\"}}],"
                          "\"systemPrompt\":\"Answer in one word.\","
                          "\"maxTokens\":100}"))
        valet_mcp_await(call);
    else
        say(call, "Sampling result: %s",
            either(valet_mcp_sampled_text(call, "capital_question"), "none"));
}

static size_t
count_roots(const valet_mcp_call *call, const char *key)
{
    size_t count = 0;
    while (valet_mcp_root_uri(call, key, count))
        count++;
    return count;
}

/* [input-required-result-basic-list-roots] */
static void
input_list_roots(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    if (!valet_mcp_list_roots(call, "client_roots"))
        valet_mcp_await(call);
    else
        say(call, "Found %zu root(s)", count_roots(call, "client_roots"));
}

/* [input-required-result-request-state], -tampered-state: what is kept comes
 * back, or the call is refused. An answer to a question that was never asked
 * finds nothing that was kept. */
static void
input_request_state(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    const char *answer = valet_mcp_elicit(call, "confirm", "Please confirm",
                                          FORM("ok", "boolean"));
    const char *kept = valet_mcp_kept(call);
    if (!answer) {
        valet_mcp_keep(call, "asked once");
        valet_mcp_await(call);
    } else if (!kept || strcmp(kept, "asked once") != 0) {
        valet_mcp_fail(call, VALET_INVALID, "nothing was asked yet");
    } else {
        say(call, "state-ok: the state came back");
    }
}

/* [input-required-result-multiple-input-requests]: all of them at once. */
static void
input_multiple(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    const char *name = valet_mcp_elicit(call, "user_name", "What is your name?",
                                        FORM("name", "string"));
    const char *greeting =
        valet_mcp_ask_model(call, "greeting", "Generate a greeting", 50);
    const char *roots = valet_mcp_list_roots(call, "client_roots");
    if (!name || !greeting || !roots) {
        valet_mcp_keep(call, "three questions");
        valet_mcp_await(call);
        return;
    }
    say(call, "Name: %s; Greeting: %s; Roots: %zu",
        either(valet_mcp_form_text(call, "user_name", "name"), "unknown"),
        either(valet_mcp_sampled_text(call, "greeting"), "none"),
        count_roots(call, "client_roots"));
}

/* [input-required-result-multi-round]: one after the other; earlier answers are
 * still there in later rounds. */
static void
input_multi_round(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    const char *name = valet_mcp_elicit(
        call, "step1", "Step 1: What is your name?", FORM("name", "string"));
    const char *color =
        name ? valet_mcp_elicit(call, "step2",
                                "Step 2: What is your favorite color?",
                                FORM("color", "string"))
             : NULL;
    if (!color) {
        valet_mcp_keep(call, name ? "round 2" : "round 1");
        valet_mcp_await(call);
        return;
    }
    say(call, "Complete for %s who likes %s",
        either(valet_mcp_form_text(call, "step1", "name"), "a friend"),
        either(valet_mcp_form_text(call, "step2", "color"), "none"));
}

/* [input-required-result-capability-check]: only what the client can. */
static void
input_capabilities(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    bool waits = false;
    if (valet_mcp_can(call, VALET_MCP_CAN_FILL_FORM) &&
        !valet_mcp_elicit(call, "form", "A value, please",
                          FORM("value", "string")))
        waits = true;
    if (valet_mcp_can(call, VALET_MCP_CAN_SAMPLE) &&
        !valet_mcp_ask_model(call, "text", "Say something", 50))
        waits = true;
    if (waits)
        valet_mcp_await(call);
    else
        say(call, "Everything you can be asked is answered.");
}

/* --- tools: tasks --- */

/* [tasks-…]: as long as it is told to. A task that nobody wants any more should
 * end soon. */
static void
slow_compute(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    int64_t seconds = 0;
    valet_mcp_argument_int(call, "seconds", &seconds);
    for (int64_t left = seconds * 1000;
         left > 0 && !valet_mcp_is_cancelled(call); left -= 50)
        rest(50);
    say(call, "Computed for %lld seconds", (long long)seconds);
}

/* [tasks-lifecycle], [tasks-required-task-error]: the tool fails. */
static void
failing_job(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    rest(300);
    valet_mcp_finish(call, &a_failure);
}

/* [tasks-lifecycle]: the call fails. */
static void
protocol_error_job(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    rest(100);
    valet_mcp_fail(call, VALET_INTERNAL, "the job cannot be done at all");
}

/* [tasks-mrtr-input]: a task that waits for a person. */
static void
confirm_delete(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    const char *filename = valet_mcp_argument(call, "filename");
    if (!valet_mcp_elicit(call, "confirm", "Delete the file?",
                          FORM("confirm", "boolean")))
        valet_mcp_await(call);
    else if (valet_mcp_form_is_true(call, "confirm", "confirm"))
        say(call, "Deleted %s", filename);
    else
        say(call, "Kept %s", filename);
}

/* [tasks-mrtr-input]: two questions, which are answered one by one. */
static void
multi_input(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    const char *name =
        valet_mcp_elicit(call, "name", "Who are you?", FORM("name", "string"));
    const char *confirm = valet_mcp_elicit(call, "confirm", "Are you sure?",
                                           FORM("confirm", "boolean"));
    if (!name || !confirm)
        valet_mcp_await(call);
    else
        say(call, "Both are answered, %s.",
            either(valet_mcp_form_text(call, "name", "name"), "stranger"));
}

/* [tasks-mrtr-composition]: first it asks, then it becomes a task. */
static void
ask_then_task(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    if (!valet_mcp_elicit(call, "user_name", "What is your name?",
                          FORM("name", "string"))) {
        valet_mcp_await(call);
        return;
    }
    valet_mcp_begin_task(call);
    rest(200);
    say(call, "Done for %s",
        either(valet_mcp_form_text(call, "user_name", "name"), "nobody"));
}

/* --- the tools --- */

/* [json-schema-2020-12]: every keyword comes out of tools/list as it went in.
 */
#define SCHEMA_2020_12                                                         \
    "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\","           \
    "\"type\":\"object\","                                                     \
    "\"$defs\":{\"address\":{\"$anchor\":\"addressDef\",\"type\":\"object\","  \
    "\"properties\":{\"street\":{\"type\":\"string\"},"                        \
    "\"city\":{\"type\":\"string\"}}}},"                                       \
    "\"properties\":{\"name\":{\"type\":\"string\"},"                          \
    "\"address\":{\"$ref\":\"#/$defs/address\"},"                              \
    "\"contactMethod\":{\"type\":\"string\",\"enum\":[\"phone\",\"email\"]},"  \
    "\"phone\":{\"type\":\"string\"},\"email\":{\"type\":\"string\"}},"        \
    "\"allOf\":[{\"anyOf\":[{\"required\":[\"phone\"]},"                       \
    "{\"required\":[\"email\"]}]}],"                                           \
    "\"if\":{\"properties\":{\"contactMethod\":{\"const\":\"phone\"}},"        \
    "\"required\":[\"contactMethod\"]},"                                       \
    "\"then\":{\"required\":[\"phone\"]},"                                     \
    "\"else\":{\"required\":[\"email\"]},"                                     \
    "\"additionalProperties\":false}"
/* [http-custom-header-server-validation] */
#define SCHEMA_HEADER                                                          \
    "{\"type\":\"object\",\"properties\":{\"region\":{\"type\":\"string\","    \
    "\"x-mcp-header\":\"Region\"}}}"
#define SCHEMA_SECONDS                                                         \
    "{\"type\":\"object\",\"properties\":{\"seconds\":{\"type\":\"integer\","  \
    "\"minimum\":0,\"maximum\":60},\"label\":{\"type\":\"string\"}}}"

enum {
    THREAD = VALET_MCP_ON_THREAD,
    TASK = VALET_MCP_AS_TASK,
    ONLY_TASK = VALET_MCP_ONLY_AS_TASK,
};
#define GIVES(name_, result_, description_)                                    \
    {                                                                          \
        .name = (name_), .description = (description_),                        \
        .input_schema = NO_ARGUMENTS, .permission = VALET_MCP_ANY_CALLER,      \
        .call = give, .ctx = &(result_)                                        \
    }
#define TOOL(name_, flags_, call_, schema_, description_)                      \
    {                                                                          \
        .name = (name_), .description = (description_),                        \
        .input_schema = (schema_), .permission = VALET_MCP_ANY_CALLER,         \
        .flags = (flags_), .call = (call_)                                     \
    }

/* clang-format off */
static const valet_mcp_tool tools[] = {
    GIVES("test_simple_text", a_text, "Says a text"),
    GIVES("test_image_content", an_image, "Shows an image"),
    GIVES("test_audio_content", a_sound, "Plays a sound"),
    GIVES("test_embedded_resource", a_resource, "Gives a resource"),
    GIVES("test_multiple_content_types", a_mixture, "Gives a text, an image and a resource"),
    GIVES("test_error_handling", a_failure, "Fails"),
    TOOL("json_schema_2020_12_tool", 0, repeat, SCHEMA_2020_12, "Has a schema with everything in it"),
    TOOL("test_x_mcp_header", 0, repeat, SCHEMA_HEADER, "Has an argument that is repeated in a header"),

    TOOL("test_tool_with_logging", THREAD, with_logging, NO_ARGUMENTS, "Logs three messages"),
    TOOL("test_tool_with_progress", THREAD, with_progress, NO_ARGUMENTS, "Tells how far it is"),
    TOOL("test_logging_tool", 0, logging, NO_ARGUMENTS, "Logs a message"),
    TOOL("test_reconnection", THREAD, reconnection, NO_ARGUMENTS, "Ends the connection and goes on"),
    TOOL("test_trigger_tool_change", 0, trigger_tool_change, NO_ARGUMENTS, "Changes the list of tools"),
    TOOL("test_trigger_prompt_change", 0, trigger_prompt_change, NO_ARGUMENTS, "Changes the list of prompts"),
    TOOL("test_trigger_resource_update", 0, trigger_resource_update, NO_ARGUMENTS, "Says that a resource has changed"),

    TOOL("test_sampling", 0, sampling, FORM("prompt", "string"), "Asks the client's model"),
    TOOL("test_elicitation", 0, elicitation, FORM("message", "string"), "Asks the person"),
    TOOL("test_elicitation_sep1034_defaults", 0, elicitation_defaults, NO_ARGUMENTS, "Asks by a form with defaults"),
    TOOL("test_elicitation_sep1330_enums", 0, elicitation_enums, NO_ARGUMENTS, "Asks by a form with lists"),
    TOOL("test_missing_capability", 0, missing_capability, NO_ARGUMENTS, "Needs the client's model"),
    TOOL("test_streaming_elicitation", 0, streaming_elicitation, NO_ARGUMENTS, "Asks after it told how far it is"),
    TOOL("test_input_required_result_elicitation", 0, input_elicitation, NO_ARGUMENTS, "Asks for a name"),
    TOOL("test_input_required_result_sampling", 0, input_sampling, NO_ARGUMENTS, "Asks the client's model for a capital"),
    TOOL("test_input_required_result_list_roots", 0, input_list_roots, NO_ARGUMENTS, "Asks for the client's folders"),
    TOOL("test_input_required_result_request_state", 0, input_request_state, NO_ARGUMENTS, "Keeps something while it asks"),
    TOOL("test_input_required_result_tampered_state", 0, input_request_state, NO_ARGUMENTS, "Notices when that was changed"),
    TOOL("test_input_required_result_multiple_inputs", 0, input_multiple, NO_ARGUMENTS, "Asks three things at once"),
    TOOL("test_input_required_result_multi_round", 0, input_multi_round, NO_ARGUMENTS, "Asks two things in turn"),
    TOOL("test_input_required_result_capabilities", 0, input_capabilities, NO_ARGUMENTS, "Asks what the client can answer"),

    TOOL("greet", 0, greet, FORM("name", "string"), "Greets, at once"),
    TOOL("slow_compute", THREAD | TASK, slow_compute, SCHEMA_SECONDS, "Takes its time"),
    TOOL("failing_job", THREAD | ONLY_TASK, failing_job, NO_ARGUMENTS, "A job that fails"),
    TOOL("protocol_error_job", THREAD | TASK, protocol_error_job, NO_ARGUMENTS, "A job that cannot be done"),
    TOOL("confirm_delete", TASK, confirm_delete, FORM("filename", "string"), "Asks before it deletes nothing"),
    TOOL("multi_input", TASK, multi_input, NO_ARGUMENTS, "A job that asks two things"),
    TOOL("test_tool_with_task", THREAD | ONLY_TASK | VALET_MCP_TASK_LATER, ask_then_task, NO_ARGUMENTS, "Asks, and then becomes a job"),
};
/* clang-format on */

/* --- resources --- */

/* [resources-read-text], [resources-subscribe], [resources-unsubscribe] */
static void
read_text(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    say(call, "This is the text of %s.", valet_mcp_uri(call));
}

/* [resources-read-binary]; it has no URI: it is the one that is read. */
static const valet_mcp_content binary = {.kind = VALET_MCP_EMBEDDED,
                                         .data = png,
                                         .size = sizeof png,
                                         .mime_type = "image/png"};
static valet_mcp_result a_picture = {
    .content = &binary, .content_count = 1, .ttl_ms = 60000, .is_public = true};

/* [resources-templates-read] */
static void
read_template(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    say(call, "Data for ID: %s", valet_mcp_argument(call, "id"));
}

static const valet_mcp_resource resources[] = {
    {.uri = "test://static-text",
     .name = "static-text",
     .title = "Static Text Resource",
     .description = "A static text resource for testing",
     .mime_type = "text/plain",
     .permission = VALET_MCP_ANY_CALLER,
     .read = read_text},
    {.uri = "test://static-binary",
     .name = "static-binary",
     .title = "Static Binary Resource",
     .description = "A static image for testing",
     .mime_type = "image/png",
     .permission = VALET_MCP_ANY_CALLER,
     .size = sizeof png,
     .read = give,
     .ctx = &a_picture},
    {.uri = "test://watched-resource",
     .name = "watched-resource",
     .title = "Watched Resource",
     .description = "A resource to subscribe to",
     .mime_type = "text/plain",
     .permission = VALET_MCP_ANY_CALLER,
     .read = read_text},
};

static const valet_mcp_template template_ = {
    .uri_template = "test://template/{id}/data",
    .name = "template",
    .title = "Resource Template",
    .description = "One resource for each id",
    .mime_type = "text/plain",
    .permission = VALET_MCP_ANY_CALLER,
    .read = read_template,
};

/* --- prompts --- */

/* [prompts-get-with-args] */
static void
get_with_arguments(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    say(call, "Prompt with arguments: arg1='%s', arg2='%s'",
        valet_mcp_argument(call, "arg1"), valet_mcp_argument(call, "arg2"));
}

/* [completion-complete] */
static void
complete_arguments(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    static const char *const words[] = {"test", "testValue1", "testValue2"};
    const char *begun = valet_mcp_completing_value(call);
    const char *found[COUNT(words)];
    size_t count = 0;
    for (size_t i = 0; i < COUNT(words); i++)
        if (!strncmp(words[i], begun, strlen(begun)))
            found[count++] = words[i];
    valet_mcp_finish_completion(call, found, count, count);
}

/* [prompts-get-embedded-resource] */
static void
get_with_resource(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    const valet_mcp_content content[] = {
        {.kind = VALET_MCP_EMBEDDED,
         .uri = valet_mcp_argument(call, "resourceUri"),
         .mime_type = "text/plain",
         .text = "Embedded resource content for testing."},
        {.text = "Please process the embedded resource above."},
    };
    valet_mcp_finish(call,
                     &(valet_mcp_result){.content = content,
                                         .content_count = COUNT(content)});
}

/* [prompts-get-with-image] */
static const valet_mcp_content image_and_text[] = {
    {.kind = VALET_MCP_IMAGE,
     .data = png,
     .size = sizeof png,
     .mime_type = "image/png"},
    {.text = "Please analyze the image above."},
};
static valet_mcp_result an_image_and_text = {
    .content = image_and_text, .content_count = COUNT(image_and_text)};

/* [input-required-result-non-tool-request]: prompts can ask, too. */
static void
get_after_asking(valet_mcp_call *call, void *ctx)
{
    (void)ctx;
    if (!valet_mcp_elicit(call, "user_context", "What is the context?",
                          FORM("context", "string")))
        valet_mcp_await(call);
    else
        say(call, "Prompt with context: %s",
            either(valet_mcp_form_text(call, "user_context", "context"),
                   "none"));
}

static const valet_mcp_prompt_argument two_arguments[] = {
    {.name = "arg1", .description = "First test argument", .is_required = true},
    {.name = "arg2",
     .description = "Second test argument",
     .is_required = true},
};
static const valet_mcp_prompt_argument resource_argument[] = {
    {.name = "resourceUri",
     .description = "URI of the resource to embed",
     .is_required = true},
};

static const valet_mcp_prompt prompts[] = {
    {.name = "test_simple_prompt",
     .title = "Simple Test Prompt",
     .description = "A prompt without arguments",
     .permission = VALET_MCP_ANY_CALLER,
     .get = give,
     .ctx = &a_text},
    {.name = "test_prompt_with_arguments",
     .title = "Prompt With Arguments",
     .description = "A prompt with required arguments",
     .arguments = two_arguments,
     .argument_count = COUNT(two_arguments),
     .permission = VALET_MCP_ANY_CALLER,
     .get = get_with_arguments,
     .complete = complete_arguments},
    {.name = "test_prompt_with_embedded_resource",
     .title = "Prompt With Embedded Resource",
     .description = "A prompt that includes a resource",
     .arguments = resource_argument,
     .argument_count = COUNT(resource_argument),
     .permission = VALET_MCP_ANY_CALLER,
     .get = get_with_resource},
    {.name = "test_prompt_with_image",
     .title = "Prompt With Image",
     .description = "A prompt that includes an image",
     .permission = VALET_MCP_ANY_CALLER,
     .get = give,
     .ctx = &an_image_and_text},
    {.name = "test_input_required_result_prompt",
     .title = "Prompt That Asks",
     .description = "A prompt that needs to know more",
     .permission = VALET_MCP_ANY_CALLER,
     .get = get_after_asking},
};

/* --- the server --- */

/* What has no ctx of its own gets the server. */
static valet_status
add_all(valet_mcp_server *server, valet_error *err)
{
    valet_status status = VALET_OK;
    for (size_t i = 0; status == VALET_OK && i < COUNT(tools); i++) {
        valet_mcp_tool tool = tools[i];
        tool.ctx = tool.ctx ? tool.ctx : server;
        status = valet_mcp_add_tool(server, &tool, err);
    }
    for (size_t i = 0; status == VALET_OK && i < COUNT(resources); i++)
        status = valet_mcp_add_resource(server, &resources[i], err);
    if (status == VALET_OK)
        status = valet_mcp_add_template(server, &template_, err);
    for (size_t i = 0; status == VALET_OK && i < COUNT(prompts); i++)
        status = valet_mcp_add_prompt(server, &prompts[i], err);
    return status;
}

static void
tell_ready(const char *url, void *ctx)
{
    (void)ctx;
    printf("{\"event\":\"ready\",\"url\":\"%s\"}\n", url);
    fflush(stdout);
}

static valet_status
serve(valet_mcp_server *server, const char *how, const char *where,
      valet_error *err)
{
    if (!how)
        return valet_mcp_serve_stdio(server, err);
    if (!strcmp(how, "--http"))
        return valet_mcp_serve_local_http(
            server, &(valet_mcp_address){.listen = where, .ready = tell_ready},
            err);
    return valet_mcp_serve_signed_in(
        server, &(valet_mcp_service){.config_file = where, .ready = tell_ready},
        err);
}

int
main(int argc, char **argv)
{
    const char *how = argc == 3 ? argv[1] : NULL;
    if (argc != 1 &&
        !(how && (!strcmp(how, "--http") || !strcmp(how, "--config")))) {
        fprintf(stderr,
                "usage: everything [--http HOST:PORT | --config FILE]\n");
        return 2;
    }
    valet_mcp_server *server = NULL;
    valet_error error = {0};
    valet_status status =
        valet_mcp_server_new("everything", valet_version(),
                             "For conformance tests.", &server, &error);
    if (status == VALET_OK)
        status = add_all(server, &error);
    if (status == VALET_OK)
        status = serve(server, how, argc == 3 ? argv[2] : NULL, &error);
    if (status != VALET_OK)
        fprintf(stderr, "%s\n", error.message);
    valet_mcp_server_free(server);
    return status == VALET_OK ? 0 : 1;
}
