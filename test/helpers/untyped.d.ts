/** Packages of tests and scripts that carry no types: the parts of them that are used. */
declare module 'pngjs' {
  export const PNG: {
    readonly sync: {
      read(png: Uint8Array): { readonly data: Uint8Array; readonly width: number; readonly height: number };
    };
  };
}

declare module 'postject' {
  export function inject(
    filename: string,
    resourceName: string,
    resourceData: Uint8Array,
    options: { readonly sentinelFuse: string },
  ): Promise<void>;
}
