import { createTheme } from '@mantine/core';

/** Colours live in tokens.css: style elements made at run time would need a weaker content security policy. */
export const theme = createTheme({
  primaryColor: 'blue',
  defaultRadius: 'sm',
  respectReducedMotion: true,
  components: {
    Button: { defaultProps: { size: 'sm' } },
  },
});
