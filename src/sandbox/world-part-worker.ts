/** A thread that writes one part of a world: see `writeParts`. */
import { parentPort, workerData } from 'node:worker_threads';
import { check } from '../kernel/check.ts';
import { makeWorld } from './world.ts';
import { writePart } from './world-part.ts';
import type { PartJob, PartMessage } from './world-parts.ts';

const { part, into, spec, from } = workerData as PartJob;
const port = parentPort;
check(port !== null, 'a part is written by a thread');
const send = (message: PartMessage): void => port.postMessage(message);
const world = makeWorld({ ...spec, from: Temporal.PlainDate.from(from) });
send({ tallied: await writePart(part, { world, into, onProgress: (progress) => send({ progress }) }) });
