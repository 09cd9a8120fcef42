/** What every page of the product must pass, at every width it is read at (look.md, "Before calling a page done"). */
import { expect, test, type Page } from '@playwright/test';
import type axe from 'axe-core';
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';

// The engine of @axe-core/playwright, asked directly: a page is given it once, not at every look.
const engine = readFileSync(createRequire(createRequire(import.meta.url).resolve('@axe-core/playwright')).resolve('axe-core/axe.min.js'), 'utf8');

/** WCAG 2.2 A and AA, and what the makers of axe advise beyond. */
const rules = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** No violation of the accessibility rules. */
export async function expectNoViolation(page: Page, what = '') {
  if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(engine);
  const found = await page.evaluate(async (values) => {
    // Looked at when it is still; at its end a page has nothing under the bar of its main button, which a finger reaches by scrolling.
    const passing = () => document.getAnimations().filter((a) => a.playState === 'running' && a.effect?.getComputedTiming().iterations !== Infinity);
    while (passing().length > 0) await Promise.allSettled(passing().map((a) => a.finished)); // a colour on its way is none
    const at = scrollY;
    scrollTo(0, document.documentElement.scrollHeight);
    const { violations } = await (window as unknown as { axe: typeof axe }).axe.run(document, { runOnly: { type: 'tag', values }, resultTypes: ['violations'] });
    scrollTo(0, at);
    return violations.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(' | ')}`);
  }, rules);
  if (found.length > 0) {
    await test.info().attach(`axe, ${what}`, { body: await page.screenshot(), contentType: 'image/png' });
    const html = test.info().outputPath(`${what.replace(/\W+/g, '-')}.html`);
    writeFileSync(html, await page.content());
    await test.info().attach(`axe, ${what}`, { path: html, contentType: 'text/html' });
  }
  expect.soft(found, `axe, ${what}`).toEqual([]);
}

/** Nothing wider than the screen (WCAG 1.4.10) and no word cut off (1.4.4). */
export async function expectFits(page: Page, what = '') {
  const found = await page.evaluate(measure);
  expect.soft(found, `fits, ${what}`).toEqual({ sideways: 0, cut: [] });
}

/** Both, at the width the page has now. */
export async function expectGood(page: Page) {
  await expectNoViolation(page);
  await expectFits(page);
}

/** Runs in the page: pixels to scroll sideways, and the texts that a box with hidden overflow cuts. */
function measure(): { sideways: number; cut: string[] } {
  const cut: string[] = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const hides = (v: string) => v === 'hidden' || v === 'clip';
  for (let n = texts.nextNode(); n; n = texts.nextNode()) {
    const parent = n.parentElement;
    if (!n.textContent?.trim() || !parent || ['SCRIPT', 'STYLE', 'OPTION'].includes(parent.tagName)) continue;
    // The week's grid shortens a name, which shows whole when one comes to it; the list of a narrow page does not.
    if (parent.closest('[data-brief]') && window.innerWidth >= 860) continue;
    if (!parent.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
    const range = document.createRange();
    range.selectNodeContents(n);
    const text = range.getBoundingClientRect();
    for (let box: HTMLElement | null = parent; box && box !== document.body; box = box.parentElement) {
      const style = getComputedStyle(box);
      // Words for screen readers only, and boxes that scroll, lose nothing.
      if (style.clipPath !== 'none') break;
      const scrolls = [style.overflowX, style.overflowY].some((v) => v === 'auto' || v === 'scroll');
      if (scrolls) break;
      const room = box.getBoundingClientRect();
      const wide = hides(style.overflowX) && (text.left < room.left - 1 || text.right > room.right + 1);
      const tall = hides(style.overflowY) && (text.top < room.top - 4 || text.bottom > room.bottom + 4);
      if (wide || tall) {
        cut.push(n.textContent.trim());
        break;
      }
      if (style.position === 'fixed') break;
    }
  }
  return { sideways: Math.max(0, document.documentElement.scrollWidth - window.innerWidth), cut };
}

/** Text at 200 %: the same window with half its CSS pixels (WCAG 1.4.4). */
export async function zoomTwice(page: Page) {
  const size = page.viewportSize() ?? { width: 1440, height: 900 };
  await page.setViewportSize({ width: Math.max(320, Math.round(size.width / 2)), height: Math.round(size.height / 2) });
}

const desk = { width: 1440, height: 900 };
/** The desk at 200 %, then the narrowest window of WCAG 1.4.10. */
const zoomed = { width: 720, height: 450 };
const narrow = { width: 320, height: 640 };

/**
 * One state of a page at 1440 px, at 200 % and at 320 px: no violation,
 * nothing to scroll sideways, no word cut. `again` brings a state back that a
 * change of size has closed. Another language changes the length of words, which
 * is looked at at every width, and names, which are the same at all of them.
 */
export async function expectGoodAtEveryWidth(page: Page, what: string, again?: () => Promise<void>) {
  const ruled = (await page.locator('html').getAttribute('lang')) === 'fr' ? [desk, zoomed] : [desk];
  for (const size of [desk, zoomed, narrow]) {
    await page.setViewportSize(size);
    await again?.();
    const here = `${what} at ${size.width} px`;
    await expectFits(page, here);
    if (ruled.includes(size)) await expectNoViolation(page, here);
  }
  await page.setViewportSize(desk);
}
