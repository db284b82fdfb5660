// What every client has to be able to do with examples/everything.c, whatever
// lies between them.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as rest } from 'node:timers/promises';

const WATCHED = 'test://watched-resource';
export const LIMIT = { timeout: 20000 };

// What all clients have to be able to do. `at.talkers` are connected by then;
// `at.isOlder`: to a server that does not know what came with 2026-07-28.
export function does(at) {
  const all = (what) => Promise.all(at.talkers.map(async (talker) => {
    try {
      await what(talker);
    } catch (error) {
      error.message = `${talker.name}: ${error.message}`;
      throw error;
    }
  }));
  const each = (title, what) => test(title, LIMIT, () => all(what));

  each('is greeted with name, capabilities and instructions, in the era that it speaks', ({ client, kind, isModern }) => {
    assert.equal(client.getServerVersion().name, 'everything');
    assert.equal(client.getInstructions(), 'For conformance tests.');
    for (const name of ['tools', 'resources', 'prompts', 'completions']) assert.ok(client.getServerCapabilities()[name], name);
    assert.equal('io.modelcontextprotocol/tasks' in (client.getServerCapabilities().extensions ?? {}), isModern && !at.isOlder);
    if (kind.isV2) assert.equal(client.getProtocolEra(), isModern ? 'modern' : 'legacy');
  });

  each('lists tools, resources, templates and prompts, the same as the others', async ({ client }) => {
    const names = async (what, key, by) => (await client[what]())[key].map((item) => item[by]).join(' ');
    const lists = [await names('listTools', 'tools', 'name'), await names('listResources', 'resources', 'uri'),
      await names('listResourceTemplates', 'resourceTemplates', 'uriTemplate'), await names('listPrompts', 'prompts', 'name')];
    at.lists ??= lists;
    assert.deepEqual(lists, at.lists);
    assert.match(lists[0], /^test_simple_text .*test_tool_with_task$/);
    assert.match(lists[1], /test:\/\/watched-resource/);
    assert.equal(lists[2], 'test://template/{id}/data');
    assert.match(lists[3], /test_prompt_with_arguments/);
  });

  each('calls tools: text, image, sound, a resource, an error, arguments that fit and do not', async (talker) => {
    assert.equal(await talker.ask('greet', { name: talker.name }), `Hello, ${talker.name}!`);
    assert.deepEqual((await talker.call('test_multiple_content_types')).content.map((c) => c.type), ['text', 'image', 'resource']);
    assert.equal((await talker.call('test_image_content')).content[0].mimeType, 'image/png');
    assert.equal((await talker.call('test_audio_content')).content[0].mimeType, 'audio/wav');
    assert.equal((await talker.call('test_error_handling')).isError, true);
    assert.equal((await talker.call('greet', { name: 7 })).isError, true);
    assert.match(await talker.ask('test_x_mcp_header', { region: 'Zürich ' }), /Zürich /);
    await assert.rejects(talker.call('no_such_tool'), { code: -32602 });
  });

  each('reads resources, also by template', async ({ client }) => {
    const read = async (uri) => (await client.readResource({ uri })).contents[0];
    assert.equal((await read('test://static-text')).text, 'This is the text of test://static-text.');
    assert.equal(Buffer.from((await read('test://static-binary')).blob, 'base64').subarray(1, 4).toString(), 'PNG');
    assert.equal((await read('test://template/a%20b/data')).text, 'Data for ID: a b');
    await assert.rejects(read('test://nowhere'), (error) => [-32602, -32002].includes(error.code));
  });

  each('gets prompts, and has their arguments completed', async ({ client, name }) => {
    const { messages } = await client.getPrompt({ name: 'test_prompt_with_arguments', arguments: { arg1: name, arg2: 'x' } });
    assert.equal(messages[0].content.text, `Prompt with arguments: arg1='${name}', arg2='x'`);
    const { completion } = await client.complete({
      ref: { type: 'ref/prompt', name: 'test_prompt_with_arguments' }, argument: { name: 'arg1', value: 'testV' },
    });
    assert.deepEqual(completion.values, ['testValue1', 'testValue2']);
    const asked = await client.getPrompt({ name: 'test_prompt_with_image' });
    assert.equal(asked.messages[0].content.type, 'image');
  });

  each('hears how far a tool is, and what it logs', async (talker) => {
    const steps = [];
    await talker.ask('test_tool_with_progress', {}, { onprogress: ({ progress, total }) => steps.push([progress, total]) });
    // Where it reads the last step and the answer at once, the SDK has forgotten whom to tell.
    assert.deepEqual(steps, [[0, 100], [50, 100], [100, 100]].slice(0, Math.max(2, steps.length)));
    await talker.askLoudly('test_tool_with_logging');
    assert.deepEqual(talker.heard.filter((h) => h.method === 'notifications/message').map((h) => h.params.data),
      ['Tool execution started', 'Tool processing data', 'Tool execution completed']);
  });

  // @spec HT-68: the same tools, by requests of the server or by results.
  each('is asked back: a form, the model, the folders; at once, in turn, by a prompt', async (talker) => {
    const { name, client } = talker;
    const ask = (tool, args) => talker.ask(`test_${tool}`, args);
    assert.equal(await ask('input_required_result_elicitation'), `Hello, ${name}!`);
    assert.equal(await ask('elicitation', { message: 'Your name?' }), `User response: {"action":"accept","content":{"response":"${name}"}}`);
    assert.equal(await ask('sampling', { prompt: 'a riddle' }), `LLM response: ${name} has read a riddle`);
    assert.equal(await ask('input_required_result_sampling'), `Sampling result: ${name} has read What is the capital of France?`);
    assert.equal(await ask('input_required_result_list_roots'), 'Found 2 root(s)');
    assert.equal(await ask('input_required_result_multiple_inputs'),
      `Name: ${name}; Greeting: ${name} has read Generate a greeting; Roots: 2`);
    assert.equal(await ask('input_required_result_multi_round'), `Complete for ${name} who likes ${name}`);
    assert.match(await ask('input_required_result_request_state'), /^state-ok/);
    assert.match(await ask('streaming_elicitation'), /"ok":true/);
    const { messages } = await client.getPrompt({ name: 'test_input_required_result_prompt' });
    assert.equal(messages[0].content.text, `Prompt with context: ${name}`);
    assert.deepEqual(new Set(talker.asked), new Set(['elicitation/create', 'sampling/createMessage', 'roots/list']));
  });

  // Nobody is told when a stream of notifications is open, so what is told is
  // told again until all have heard of it. Twice each: as it was before.
  test('hears of lists that changed and of a resource, until it does not listen any more', LIMIT, async () => {
    const [first] = at.talkers;
    await all((talker) => talker.listen(WATCHED));
    for (const [tool, method] of [['tool_change', 'tools/list_changed'], ['prompt_change', 'prompts/list_changed'], ['resource_update', 'resources/updated']]) {
      const deaf = () => at.talkers.filter((t) => !t.count(`notifications/${method}`)).map((t) => t.name);
      for (let tries = 0; deaf().length && tries < 50; tries++) {
        // Over stdio each has a server of its own.
        for (const talker of at.isShared ? [first] : at.talkers)
          for (let i = 0; i < 2; i++) await talker.ask(`test_trigger_${tool}`);
        await rest(20);
      }
      assert.deepEqual(deaf(), [], method);
    }
    await all(async (talker) => {
      assert.equal(talker.heard.find((h) => h.method === 'notifications/resources/updated').params.uri, WATCHED);
      await talker.unlisten(WATCHED);
    });
    await rest(100); // what is on its way
    await all(async (talker) => {
      const before = talker.count('notifications/resources/updated');
      await talker.ask('test_trigger_resource_update');
      await talker.ask('greet', { name: 'x' });
      assert.equal(talker.count('notifications/resources/updated'), before);
    });
  });

  // There are 32 threads, and each of these calls would hold one for a minute.
  // @spec HT-20 HT-62 ST-08
  test('takes calls back, which gives their threads back', LIMIT, async () => {
    const began = Date.now();
    await all(async (talker) => {
      const each = at.isShared ? Math.ceil(40 / at.talkers.length) : 40;
      await Promise.all(Array.from({ length: each }, async () => {
        const taken = new AbortController();
        const call = assert.rejects(talker.call('slow_compute', { seconds: 60 }, { signal: taken.signal }));
        await rest(300);
        taken.abort('not wanted any more');
        await call;
      }));
    });
    await all(async (talker) => assert.equal(await talker.ask('slow_compute', { seconds: 0 }), 'Computed for 0 seconds'));
    assert.ok(Date.now() - began < 8000, `${Date.now() - began} ms`);
  });

  // Neither SDK runs the tasks extension: whoever does not know it waits for
  // the result, or is told what is missing.
  each('waits for a tool that others have as a task, and is told when there is no other way', async (talker) => {
    assert.equal(await talker.ask('confirm_delete', { filename: 'a' }), 'Deleted a');
    await assert.rejects(talker.call('failing_job'), { code: talker.isModern && !at.isOlder ? -32021 : -32601 });
  });
}
