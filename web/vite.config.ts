import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  plugins: [react()],
  resolve: {
    alias: [
      { find: /^@\//, replacement: here('./src/') },
      { find: /^@rtc$/, replacement: here('./rtc/index.ts') },
      { find: /^@rtc\//, replacement: here('./rtc/') },
    ],
  },
  build: {
    outDir: 'dist',
    target: ['es2022', 'chrome105', 'firefox115', 'safari15.4'],
    manifest: true,
    // data: URIs would need a wider Content-Security-Policy; each asset is a file of our own.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
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
