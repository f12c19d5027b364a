import react from '@vitejs/plugin-react';
import { defineConfig, loadEnv } from 'vite';

export default defineConfig(({ mode }) => {
  const { SITEWARDEN_RELAY_URL: relay = 'http://127.0.0.1:8443' } = loadEnv(mode, '.', 'SITEWARDEN_');
  return {
    plugins: [react()],
    // Another React lives higher up in the workspace, for the test runner; all of ours must resolve to the page's own.
    resolve: { dedupe: ['react', 'react-dom'] },
    build: { outDir: 'dist', emptyOutDir: true, target: 'es2022', assetsInlineLimit: 0, reportCompressedSize: false },
    server: { proxy: { '/api': { target: relay, changeOrigin: false } } },
  };
});
