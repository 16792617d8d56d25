import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vite";

// The build output is committed, so that the demo needs no Node. File names therefore carry no
// hash: a rebuild of unchanged sources must leave the folder as it was, and `cargo xtask test`
// checks that it does.
export default defineConfig({
  plugins: [vue()],
  build: {
    outDir: "dist",
    emptyOutDir: true,
    modulePreload: false,
    rolldownOptions: {
      output: {
        entryFileNames: "assets/[name].js",
        chunkFileNames: "assets/[name].js",
        assetFileNames: "assets/[name][extname]",
      },
    },
  },
});
