export interface LockSettings {
  readonly lockEnabled: boolean;
  /** From the last touch to the locked screen; 0 means never. */
  readonly idleSeconds: number;
}

export interface SettingKey {
  readonly schema: string;
  readonly key: string;
}

export type Desktop =
  | {
      readonly name: string;
      readonly source: 'gsettings';
      readonly shells: readonly string[];
      readonly lock: SettingKey;
      readonly idle: SettingKey;
      readonly delay?: SettingKey;
      /** What one unit of `idle` is worth. */
      readonly idleUnitSeconds: number;
    }
  | { readonly name: string; readonly source: 'kscreenlockerrc'; readonly shells: readonly string[] }
  | { readonly name: string; readonly source: 'none'; readonly shells: readonly string[] };

/** Desktops by the process that is their shell (/proc/PID/comm, cut at 15 characters). */
export const DESKTOPS: readonly Desktop[] = [
  {
    name: 'gnome',
    source: 'gsettings',
    shells: ['gnome-shell', 'budgie-panel', 'unity-panel-ser'],
    lock: { schema: 'org.gnome.desktop.screensaver', key: 'lock-enabled' },
    idle: { schema: 'org.gnome.desktop.session', key: 'idle-delay' },
    delay: { schema: 'org.gnome.desktop.screensaver', key: 'lock-delay' },
    idleUnitSeconds: 1,
  },
  {
    name: 'cinnamon',
    source: 'gsettings',
    shells: ['cinnamon'],
    lock: { schema: 'org.cinnamon.desktop.screensaver', key: 'lock-enabled' },
    idle: { schema: 'org.cinnamon.desktop.session', key: 'idle-delay' },
    delay: { schema: 'org.cinnamon.desktop.screensaver', key: 'lock-delay' },
    idleUnitSeconds: 1,
  },
  {
    name: 'mate',
    source: 'gsettings',
    shells: ['mate-panel', 'mate-session'],
    lock: { schema: 'org.mate.screensaver', key: 'lock-enabled' },
    idle: { schema: 'org.mate.session', key: 'idle-delay' },
    idleUnitSeconds: 60,
  },
  { name: 'kde', source: 'kscreenlockerrc', shells: ['plasmashell'] },
  { name: 'xfce', source: 'none', shells: ['xfce4-session', 'xfce4-panel'] },
  { name: 'lxqt', source: 'none', shells: ['lxqt-session', 'lxqt-panel', 'lxsession'] },
  { name: 'sway', source: 'none', shells: ['sway', 'hyprland', 'Hyprland', 'weston', 'i3', 'openbox'] },
];

/** A screen is drawn for somebody, whatever the desktop. */
export const DISPLAY_SERVERS: readonly string[] = ['Xorg', 'X', 'Xwayland', 'kwin_wayland', 'kwin_x11', 'mutter'];
