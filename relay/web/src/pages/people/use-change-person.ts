import { useMutation, useQueryClient } from '@tanstack/react-query';
import { keys } from '../../api/keys.ts';
import { changePerson } from '../../api/queries/people.ts';
import type { Person, PersonChange } from '../../api/types.ts';

export function useChangePerson({ id }: Person, onDone: () => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (change: PersonChange) => changePerson(id, change),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: keys.users });
      // Who changed their own role has just signed themselves out.
      await client.invalidateQueries({ queryKey: keys.session });
      onDone();
    },
  });
}
