// What a call needs only once it stands: fetched then, apart from what opens the room.

export { Handover } from './handover';
export { Rhythm } from './rhythm';
