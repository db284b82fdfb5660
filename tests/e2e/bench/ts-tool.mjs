// The tool of bench/own_server.c, as both generations of the TypeScript SDK
// register it. The schema is made once.
import { z } from 'zod';

const schema = z.object({
  city: z.string().max(100),
  days: z.number().int().min(1).optional(),
});

const definition = {
  title: 'Weather',
  description: 'The weather of a city.',
  annotations: { readOnlyHint: true },
};

const answer = async () => ({ content: [{ type: 'text', text: 'It is 21 degrees in Oslo, and dry.' }] });

export function withTool(server) {
  server.registerTool('weather', { ...definition, inputSchema: schema }, answer);
  return server;
}
