import { expect, it } from 'vitest';
import { tokenOf } from './token';

const token = 'Zk3_-'.repeat(9).slice(0, 43);

it('reads the fragment of a link', () => {
  expect(tokenOf(`#${token}`)).toBe(token);
});

it.each(['', '#', '#content', '#<script>', `#${token}?a=b`, `#${'a'.repeat(300)}`])('is not fooled by « %s »', (hash) => {
  expect(tokenOf(hash)).toBeNull();
});
