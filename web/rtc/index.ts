// The media engine's door.
export { createCall } from './call';
export { inCall } from './state';
export type * from './api';
