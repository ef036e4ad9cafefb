import type { App } from './app.ts';
import { auditRoutes } from './audit/api.ts';
import type { Route } from './platform/http/route.ts';

/** Every route of the API, by folder: what is not listed here is not served. */
export function apiRoutes({ pool }: App): Route[] {
  return [...auditRoutes({ pool })];
}
