import { Button, Select, TextInput } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { Link } from 'react-router';
import { keys } from '../../api/keys.ts';
import { clientsQuery, createClient, createSite } from '../../api/queries/provisioning.ts';
import { ErrorNote } from '../../components/error-note.tsx';
import { Note } from '../../components/note.tsx';
import { Section } from '../../components/section.tsx';
import css from './provisioning.module.css';

/** A site belongs to a client; both are made here. */
export function MakeSite() {
  const client = useQueryClient();
  const clients = useQuery(clientsQuery);
  const [clientId, setClientId] = useState<string | null>(null);
  const [siteName, setSiteName] = useState('');
  const make = useMutation({
    mutationFn: createSite,
    onSuccess: () => {
      setSiteName('');
      return client.invalidateQueries({ queryKey: keys.sites });
    },
  });
  const data = (clients.data?.clients ?? []).map(({ id, name }) => ({ value: id, label: name }));
  return (
    <Section id="new-site" title="New client and site">
      <div className={css.form}>
        <MakeClient onMade={setClientId} />
        <form
          className={css.form}
          onSubmit={(event) => {
            event.preventDefault();
            const name = siteName.trim();
            if (clientId && name) make.mutate({ clientId, name });
          }}
        >
          <Select
            label="Client of the new site"
            placeholder={data.length === 0 ? 'Make a client first' : 'Search clients'}
            searchable
            data={data}
            value={clientId}
            onChange={setClientId}
            nothingFoundMessage="No client named like this. Make it above."
          />
          <TextInput
            label="Name of the new site"
            placeholder="Main Street practice"
            maxLength={120}
            value={siteName}
            onChange={(event) => setSiteName(event.currentTarget.value)}
          />
          <Button type="submit" variant="default" loading={make.isPending} disabled={!clientId || !siteName.trim()}>
            Add the site
          </Button>
          {clients.error && <ErrorNote what="The clients could not be loaded" error={clients.error} />}
          {make.isError && <ErrorNote what="The site was not added" error={make.error} />}
          {make.data && (
            <Note tone="ok" role="status">
              <Link to={`/sites/${make.data.id}`}>{make.data.name}</Link> was added. Make a code for its box above.
            </Note>
          )}
        </form>
      </div>
    </Section>
  );
}

function MakeClient({ onMade }: { onMade: (clientId: string) => void }) {
  const client = useQueryClient();
  const [name, setName] = useState('');
  const make = useMutation({
    mutationFn: createClient,
    onSuccess: async (made) => {
      setName('');
      await client.invalidateQueries({ queryKey: keys.clients });
      onMade(made.id);
    },
  });
  return (
    <form
      className={css.form}
      onSubmit={(event) => {
        event.preventDefault();
        if (name.trim()) make.mutate(name.trim());
      }}
    >
      <div className={css.inline}>
        <TextInput
          label="Name of the new client"
          placeholder="Family Clinic Ltd"
          maxLength={120}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Button type="submit" variant="default" loading={make.isPending} disabled={!name.trim()}>
          Add the client
        </Button>
      </div>
      {make.isError && <ErrorNote what="The client was not added" error={make.error} />}
    </form>
  );
}
