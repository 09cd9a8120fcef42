import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';
import { brotli } from './scripts/brotli';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

// What every patient's page needs travels in one file: many small ones compress worse.
const common = /node_modules\/(react|react-dom|scheduler|@tanstack|wouter|regexparam|use-sync-external-store)\/|\/src\/(ui\/(Page|Button|Field|Alert|Loading|Announcer|Sheet|online|date)|api\/(client|calls?)|i18n\/(i18n|time|problems))\./;
// The join page is one thing to load before the room opens, and one more after.
const room = /\/src\/features\/(call\/(?!Lamp|ChatExtras)|diagnostics\/)/;

function chunkOf(id: string): string | undefined {
  if (common.test(id)) return 'common';
  return room.test(id) ? 'room' : undefined;
}

export default defineConfig({
  plugins: [react(), brotli()],
  resolve: {
    alias: [
      { find: /^@\//, replacement: here('./src/') },
      { find: /^@rtc$/, replacement: here('./rtc/index.ts') },
      { find: /^@rtc\//, replacement: here('./rtc/') },
      // React has it; the shim is for versions before 18.
      { find: /^use-sync-external-store\/shim.*/, replacement: 'react' },
    ],
  },
  build: {
    outDir: 'dist',
    target: ['es2022', 'chrome105', 'firefox115', 'safari15.4'],
    manifest: true,
    // data: URIs would need a wider Content-Security-Policy; each asset is a file of our own.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // A few kB smaller than the default on the 150 kB of a patient's page.
    minify: 'terser',
    rollupOptions: { output: { manualChunks: chunkOf } },
    terserOptions: { compress: { passes: 3, ecma: 2020, keep_fargs: false, pure_getters: true }, format: { comments: false, ecma: 2020 } },
  },
  server: {
    proxy: {
      '/api': 'http://localhost:8080',
      '/ws': { target: 'ws://localhost:8080', ws: true },
    },
  },
  test: {
    include: ['src/**/*.test.{ts,tsx}', 'rtc/**/*.test.ts'],
    environment: 'node',
    restoreMocks: true,
  },
});
