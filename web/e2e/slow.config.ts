import base from './playwright.config';
export default { ...base, timeout: 600_000, expect: { timeout: 60_000 }, use: { ...base.use, actionTimeout: 120_000 } };
