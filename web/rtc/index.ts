// The media engine's door.
export { createCall } from './call';
export type * from './api';
