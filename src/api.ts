import type { App } from './app.ts';
import type { Route } from './platform/http/route.ts';

/** Every route of the API, by folder: what is not listed here is not served. */
export function apiRoutes(_app: App): Route[] {
  return [];
}
