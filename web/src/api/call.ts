/**
 * One typed call of the API: the route, its parameters, body, needed headers
 * and answer are those of the OpenAPI document (schema.gen.ts), so that a
 * wrong use does not compile.
 */
import { requestWithTag, type Options } from './client';
import type { paths } from './schema.gen';

type Method = NonNullable<Options['method']>;

/** `GET /api/encounters/{id}`, and every other route of the document. */
export type Route = {
  [P in keyof paths]: { [M in Method]: paths[P] extends Record<Lowercase<M>, object> ? `${M} ${P}` : never }[Method];
}[keyof paths];

type Operation<R extends Route> = R extends `${infer M} ${infer P extends keyof paths}`
  ? Lowercase<M> extends keyof paths[P]
    ? paths[P][Lowercase<M>]
    : never
  : never;

type Json<Said> = Said extends { content: { 'application/json': infer Body } } ? Body : undefined;
type Success<Said> = Json<Said[keyof Said & (200 | 201 | 202 | 204)]>;

/** What a route answers. */
export type Answer<R extends Route> = Operation<R> extends { responses: infer Said } ? Success<Said> : never;

type Given<Parameters, Key extends string> = Parameters extends { [K in Key]: infer Value }
  ? { [K in Key]: Value }
  : Parameters extends { [K in Key]?: infer Value }
    ? [NonNullable<Value>] extends [never]
      ? unknown
      : { [K in Key]?: NonNullable<Value> }
    : unknown;

type Headers<Parameters> = Parameters extends { header: infer Names }
  ? (Names extends { 'Idempotency-Key': string } ? { idempotencyKey: string } : unknown) &
      (Names extends { 'If-Match': string } ? { ifMatch: string | number } : unknown)
  : unknown;

type Body<Op> = Op extends { requestBody: { content: { 'application/json': infer Sent } } } ? { body: Sent } : unknown;

/** What a route needs. */
export type Input<R extends Route> = Operation<R> extends infer Op extends { parameters: unknown }
  ? Given<Op['parameters'], 'path'> & Given<Op['parameters'], 'query'> & Headers<Op['parameters']> & Body<Op> & { signal?: AbortSignal }
  : never;

/** What a route is sent. */
export type Sent<R extends Route> = Input<R> extends { body: infer Value } ? Value : never;

/** The input may be left out when nothing of it is needed. */
type Arguments<R extends Route> = Record<never, never> extends Input<R> ? [input?: Input<R>] : [input: Input<R>];

type Loose = Options & { path?: Record<string, string>; query?: Record<string, unknown> };

/** The path of a route with its parameters, as the browser asks for it. */
export function address(pattern: keyof paths, path: Record<string, string> = {}, query: Record<string, unknown> = {}): string {
  const filled = pattern.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(path[name] ?? ''));
  const asked = Object.entries(query).filter(([, value]) => value !== undefined && value !== '');
  return filled + (asked.length === 0 ? '' : `?${asked.map(([k, v]) => `${k}=${encodeURIComponent(String(v))}`).join('&')}`);
}

/** Calls a route, and gives the entity tag of the answer too. */
export function callWithTag<R extends Route>(route: R, ...[input]: Arguments<R>): Promise<{ data: Answer<R>; etag: string | undefined }> {
  const [method, pattern] = route.split(' ') as [Method, keyof paths];
  const { path, query, ...options } = (input ?? {}) as Loose;
  return requestWithTag(address(pattern, path, query).slice('/api'.length), { ...options, method });
}

/** Calls a route. */
export async function call<R extends Route>(route: R, ...input: Arguments<R>): Promise<Answer<R>> {
  return (await callWithTag(route, ...input)).data;
}
