/** The page without a mouse and without eyes: where the focus is, what is said. */
import { expect, type BrowserContext, type Locator, type Page } from '@playwright/test';

/** Writes down everything the live regions say, in `window.heard`. */
export async function listen(context: BrowserContext) {
  await context.addInitScript(() => {
    const heard: string[] = [];
    (window as unknown as { heard: string[] }).heard = heard;
    const live = '[aria-live="polite"], [aria-live="assertive"], [role="status"], [role="alert"], [role="log"]';
    new MutationObserver((changes) => {
      for (const c of changes) {
        const at = c.target instanceof Element ? c.target : c.target.parentElement;
        const text = at?.closest(live)?.textContent?.trim();
        if (text && heard.at(-1) !== text) heard.push(text);
      }
    }).observe(document, { childList: true, characterData: true, subtree: true });
  });
}

export async function hears(page: Page, text: string | RegExp) {
  await expect.poll(() => page.evaluate(() => (window as unknown as { heard: string[] }).heard.join('\n')), { timeout: 60_000 }).toMatch(text);
}

interface Focus {
  nothing: boolean;
  /** Pixels of the ring around what has the focus, or around its row. */
  ring: number;
  what: string;
}

const focus = (page: Page): Promise<Focus> =>
  page.evaluate(() => {
    const at = document.activeElement as HTMLElement | null;
    if (!at || at === document.body) return { nothing: true, ring: 0, what: 'nothing' };
    const width = (e: Element | null) => {
      const s = e && getComputedStyle(e);
      return s && s.outlineStyle !== 'none' ? Number.parseFloat(s.outlineWidth) : 0;
    };
    return { nothing: false, ring: Math.max(width(at), width(at.closest('label'))), what: `${at.tagName} ${at.getAttribute('aria-label') ?? at.textContent?.slice(0, 60) ?? ''}` };
  });

/** What has the focus is never lost: after what was done, something on the page has it. */
export async function expectFocusKept(page: Page, after: string) {
  await expect.poll(async () => (await focus(page)).nothing, { message: `focus after ${after}`, timeout: 30_000 }).toBe(false);
}

/** Goes to a control with Tab alone; every stop on the way shows a ring of 3 px or more. */
export async function tabTo(page: Page, to: Locator, key: 'Tab' | 'Shift+Tab' = 'Tab') {
  await to.waitFor();
  for (let stops = 0; stops < 150; stops++) {
    await page.keyboard.press(key);
    const at = await focus(page);
    // Past the last stop the browser itself has its turn.
    if (!at.nothing) expect.soft(at.ring, `ring around ${at.what}`).toBeGreaterThanOrEqual(3);
    if (await to.evaluate((e) => e === document.activeElement || e.contains(document.activeElement))) return;
  }
  throw new Error(`no way to ${to} with ${key}`);
}

/** Goes there and presses; the focus is somewhere afterwards. */
export async function press(page: Page, to: Locator, o: { key?: string; way?: 'Tab' | 'Shift+Tab' } = {}) {
  await tabTo(page, to, o.way);
  await page.keyboard.press(o.key ?? 'Enter');
  await expectFocusKept(page, `pressing ${to}`);
}

export async function type(page: Page, to: Locator, text: string, way: 'Tab' | 'Shift+Tab' = 'Tab') {
  if (!(await to.evaluate((e) => e === document.activeElement))) await tabTo(page, to, way);
  await page.keyboard.type(text);
  await expect(to).toHaveValue(text);
}

interface AxNode {
  ignored: boolean;
  role?: { value: string };
  name?: { value: string };
}

/** The page as a screen reader is given it: role and name of each node. */
export async function tree(page: Page): Promise<{ role: string; name: string }[]> {
  const session = await page.context().newCDPSession(page);
  const { nodes } = (await session.send('Accessibility.getFullAXTree')) as { nodes: AxNode[] };
  await session.detach();
  return nodes.filter((n) => !n.ignored).map((n) => ({ role: n.role?.value ?? '', name: n.name?.value.trim() ?? '' }));
}

/** Names of every control of the page; none is without one. */
export async function expectNamed(page: Page): Promise<string[]> {
  const controls = (await tree(page)).filter((n) => ['button', 'link', 'textbox', 'searchbox', 'combobox', 'checkbox', 'radio', 'tab', 'menuitem', 'option'].includes(n.role));
  expect(controls.filter((c) => c.name === '')).toEqual([]);
  return controls.map((c) => c.name);
}

/** Longest transition or animation of the page, in seconds (with what comes before and after each element). */
export const longestMotion = (page: Page): Promise<{ seconds: number; where: string }> =>
  page.evaluate(() => {
    let found = { seconds: 0, where: '' };
    for (const e of document.querySelectorAll('*')) {
      for (const part of ['', '::before', '::after']) {
        const s = getComputedStyle(e, part);
        for (const v of `${s.transitionDuration},${s.animationDuration}`.split(',')) {
          const seconds = Number.parseFloat(v) * (v.trim().endsWith('ms') ? 0.001 : 1);
          if (seconds > found.seconds) found = { seconds, where: `${e.tagName}.${e.className}${part}` };
        }
      }
    }
    return found;
  });
