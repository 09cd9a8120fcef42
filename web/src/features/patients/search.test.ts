import { describe, expect, it } from 'vitest';
import { searchable } from './search';

describe('searchable', () => {
  it('turns a French date into the server’s, wherever it stands', () => {
    expect(searchable('  pat-trois  28/03/1979 ')).toBe('pat-trois 1979-03-28');
    expect(searchable('28.03.1979')).toBe('1979-03-28');
    expect(searchable('28-3-1979 dom')).toBe('1979-03-28 dom');
  });
  it('leaves names and impossible dates as they are', () => {
    expect(searchable('N’Guessan Jean-Noël')).toBe('N’Guessan Jean-Noël');
    expect(searchable('31/02/1979')).toBe('31/02/1979');
  });
});
