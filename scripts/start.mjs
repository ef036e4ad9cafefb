// `npm start`: installs what is missing and starts the server.
import { join } from 'node:path';
import { root } from './install.mjs';
import { runPinned } from './with-node.mjs';

runPinned([join(root, 'src', 'server.ts'), ...process.argv.slice(2)]);
