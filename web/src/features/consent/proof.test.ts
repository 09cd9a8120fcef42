import { describe, expect, it } from 'vitest';
import { codeOf } from './CheckPage';
import { secondsSince } from './inView';

describe('the code behind the #', () => {
  it.each([
    ['#7ZK3-0Q4V-9HJM-2N5T', '7ZK3-0Q4V-9HJM-2N5T'],
    ['#7zk3-0q4v-9hjm-2n5t', '7ZK3-0Q4V-9HJM-2N5T'],
    ['', ''],
    ['#', ''],
    ['#<script>alert(1)</script>', 'SCRIPTALERT1SCRIPT'],
    ['#' + 'A'.repeat(500), 'A'.repeat(19)],
  ])('%s is %s', (hash, code) => expect(codeOf(hash)).toBe(code));
});

describe('how long the text was in view', () => {
  it.each([
    [0, 999, 0],
    [0, 1000, 1],
    [500, 61_500, 61],
    [2000, 1000, 0],
    [0, 1e12, 86_400],
  ])('from %d to %d ms: %d s', (start, now, want) => expect(secondsSince(start, now)).toBe(want));
});
