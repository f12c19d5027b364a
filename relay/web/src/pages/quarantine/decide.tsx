import { Button, Radio } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useNavigate } from 'react-router';
import { keys } from '../../api/keys.ts';
import { releaseQuarantine } from '../../api/queries/site.ts';
import type { Quarantine } from '../../api/types.ts';
import { Disclosure } from '../../components/disclosure.tsx';
import { ErrorNote } from '../../components/error-note.tsx';
import css from './quarantine.module.css';

interface DecideProps {
  siteId: string;
  applianceId: string;
  machines: Quarantine['machines'];
}

/** An admin says which machine goes on, or gives the box a new key. */
export function Decide({ siteId, applianceId, machines }: DecideProps) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const [bootId, setBootId] = useState<string | null>(null);
  const decide = useMutation({
    mutationFn: (genuine: string) => releaseQuarantine(siteId, applianceId, genuine),
    onSuccess: async (next) => {
      client.setQueryData(keys.site(siteId), next);
      await navigate(`/sites/${siteId}`);
    },
    onError: () => client.invalidateQueries({ queryKey: keys.quarantine(siteId) }),
  });
  const boots = machines.filter((one, index) => machines.findIndex((other) => other.bootId === one.bootId) === index);
  return (
    <div className={css.decide}>
      <form
        className={css.decide}
        onSubmit={(event) => {
          event.preventDefault();
          if (bootId !== null) decide.mutate(bootId);
        }}
      >
        <Radio.Group
          label="1. The copy is found and off: this machine is the genuine one"
          description="It goes on. The other one is held off for ten minutes, and stops both again if it is still on after that."
          value={bootId}
          onChange={setBootId}
        >
          <div className={css.choices}>
            {boots.map((machine) => (
              <Radio
                key={machine.bootId}
                value={machine.bootId}
                label={`Machine ${machines.indexOf(machine) + 1}: ${machine.hostname || 'no name told'}`}
                description={machine.address || 'address not known'}
              />
            ))}
          </div>
        </Radio.Group>
        <div>
          <Button type="submit" disabled={bootId === null} loading={decide.isPending}>
            This one is genuine: release it
          </Button>
        </div>
        {decide.isError && <ErrorNote what="The box was not released" error={decide.error} />}
      </form>
      <Disclosure summary="2. The copy cannot be found: give the genuine box a new key">
        <ol className={css.steps}>
          <li>
            On the genuine box run <code>sitewarden-appliance reset</code> and start it again. It makes new keys and
            asks for its place.
          </li>
          <li>Its request appears on this page. Have somebody at the box read the number it shows, and approve it.</li>
          <li>The old key is refused from then on: the copy gets nothing, and is told why.</li>
        </ol>
        <p className="dim">
          Its log goes on in the next epoch, and its workstations have to be enrolled again, for its site CA is new.
        </p>
      </Disclosure>
    </div>
  );
}
