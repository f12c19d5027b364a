import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CheckinResponse } from '@sitewarden/agent-proto/http';
import { ENTRIES, startProgram } from '../../scripts/lib/programs.ts';
import type { Figure } from './benches.ts';
import type { HttpLoad, HttpLoadResult } from './children/http-load.ts';
import { startChild } from './lib/child.ts';
import { figureOf } from './lib/figures.ts';
import { makeRelayFolder, nextCheckin, requestBytes } from './lib/relay-boxes.ts';

const BOXES = 1000;
const CONNECTIONS = 64;
const ROUNDS = 5;
const PASSES = 2;

/** Check-ins over HTTP/1.1 on kept connections: the real relay as a process, client and control in theirs. */
export async function run(): Promise<Figure[]> {
  const folder = await makeRelayFolder(BOXES);
  const stops: (() => Promise<unknown>)[] = [async () => folder.remove()];
  try {
    const configFile = join(folder.config.dataDir, 'relay.yaml');
    writeFileSync(configFile, folder.configText);
    const relay = await startProgram({
      name: 'relay',
      entry: ENTRIES.relay,
      args: ['serve', '--config', configFile, '--ready-json'],
    });
    stops.push(() => relay.stop());
    const control = await startChild<object, object, { port: number }>('fastify-post.ts');
    const { child: client } = await startChild<HttpLoad, HttpLoadResult>('http-load.ts');
    stops.push(control.child.stop, client.stop);
    const relayPort = Number(new URL(String(relay.ready.url)).port);

    const load = async (port: number, isRelay: boolean): Promise<number> => {
      let seconds = 0;
      for (let pass = 0; pass < PASSES; pass += 1) {
        const checkins = folder.boxes.map((box) => nextCheckin(box, 'http://relay.bench'));
        const result = await client.ask({ port, connections: CONNECTIONS, requests: checkins.map(requestBytes) });
        seconds += result.seconds;
        for (const [index, { box }] of checkins.entries()) {
          if (isRelay) box.token = (JSON.parse(result.answers[index]!) as CheckinResponse).token;
          else box.counter -= 1;
        }
      }
      return (BOXES * PASSES) / seconds;
    };

    await load(relayPort, true);
    await load(control.ready.port, false);
    const values: number[] = [];
    const controls: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      values.push(await load(relayPort, true));
      controls.push(await load(control.ready.port, false));
    }
    const note = `${CONNECTIONS} kept connections; control: a Fastify route with the same schemas, neither verifying nor storing`;
    return [figureOf({ name: 'checkin-http', unit: 'check-ins/s', values, controls, note })];
  } finally {
    for (const stop of stops.reverse()) await stop();
  }
}
