// An empty page of the gateway's origin in which tests put publishers and subscribers, see stage.js.
import {readFileSync} from 'node:fs';
import {fileURLToPath} from 'node:url';
import {openPage} from './browser.mjs';

const script = readFileSync(fileURLToPath(new URL('stage.js', import.meta.url)), 'utf8');

/** The page; `page.stage.publish(...)` and so on call the functions of stage.js. */
export async function openStage(browser, gateway) {
  const page = await openPage(browser);
  await prepareStage(page, gateway);
  return page;
}

// The document must be the gateway's: Chromium does not let one that was made up here reach local addresses. It is a text, which the
// browser shows as a page, for it must have no script of its own.
async function prepareStage(page, gateway) {
  await page.route(url => url.pathname === '/stage.js', route => route.fulfill({contentType: 'text/javascript', body: script}));
  await page.goto(`${gateway.http}style.css`);
  await page.evaluate(() => document.body.replaceChildren());
  await page.addScriptTag({type: 'module', url: 'stage.js'});
  await page.waitForFunction(() => window.stage);
  page.stage = new Proxy({}, {
    get: (_, name) => (...args) => page.evaluate(([name, args]) => window.stage[name](...args), [name, args]),
  });
  /** Waits until `wanted(now, first)` is true of the newest stream of `kind` that `name` receives. */
  page.receives = (name, kind, wanted, ms = 15_000) => page.stage.until(name, kind, String(wanted), ms);
}
