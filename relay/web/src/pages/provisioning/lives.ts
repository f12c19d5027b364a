/** How long codes may live, in minutes. */
export const LIVES = [
  { value: '10', label: '10 minutes' },
  { value: '60', label: '1 hour' },
  { value: '1440', label: '1 day' },
  { value: '10080', label: '7 days' },
  { value: '43200', label: '30 days, for a printed work order' },
];
/** Only codes that live no longer can do without an approval. */
export const PRE_APPROVED_LIFE = '10';
