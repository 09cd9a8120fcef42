// @vitest-environment jsdom
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ignoreSecondClick } from './secondClick';

let pressed: string[];
let stop: () => void;
document.body.addEventListener('click', (e) => pressed.push((e.target as Element).id));
beforeEach(() => {
  pressed = [];
  document.body.innerHTML = '<button id="one"><span id="word">One</span></button><a id="two" href="#two">Two</a><input id="field" type="checkbox"><p id="text">Text</p>';
  stop = ignoreSecondClick(document);
});
afterEach(() => stop());

const click = (id: string, detail: number) => document.getElementById(id)!.dispatchEvent(new MouseEvent('click', { bubbles: true, cancelable: true, detail }));

test.each([
  ['a double click on one button', [['one', 1], ['word', 2]], ['one', 'word']],
  ['the second click on what has just appeared', [['one', 1], ['two', 2]], ['one']],
  ['and the third', [['one', 1], ['two', 2], ['two', 3]], ['one']],
  ['text under the first click, a button under the second', [['text', 1], ['one', 2]], ['text']],
  ['two clicks in two places', [['one', 1], ['two', 1]], ['one', 'two']],
  ['the keyboard', [['one', 1], ['two', 0]], ['one', 'two']],
  ['a box ticked and unticked', [['field', 1], ['field', 2]], ['field', 'field']],
] as [string, [string, number][], string[]][])('%s', (_, clicks, want) => {
  const went = clicks.map(([id, detail]) => click(id, detail));
  expect(pressed).toEqual(want);
  expect(went.filter((w) => !w)).toHaveLength(clicks.length - want.length);
});
