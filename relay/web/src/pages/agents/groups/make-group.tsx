import { Button, NativeSelect, TextInput } from '@mantine/core';
import { useState } from 'react';
import { ErrorNote } from '../../../components/error-note.tsx';
import { Icon } from '../../../icons/icon.tsx';
import css from './groups.module.css';
import { GROUP_TIERS, groupTierOf, groupTierValue, useChangeGroup } from './use-groups.ts';

const FOLLOW = groupTierValue(null);

export function MakeGroup({ siteId }: { siteId: string }) {
  const make = useChangeGroup(siteId);
  const [name, setName] = useState('');
  const [tier, setTier] = useState(FOLLOW);
  return (
    <form
      className={css.form}
      onSubmit={(event) => {
        event.preventDefault();
        const wish = { name: name.trim(), tier: groupTierOf(tier) };
        if (wish.name === '') return;
        make.mutate(
          { create: wish },
          {
            onSuccess: () => {
              setName('');
              setTier(FOLLOW);
            },
          },
        );
      }}
    >
      <TextInput
        className={css.name}
        label="Name of a new group"
        placeholder="Reception"
        maxLength={120}
        value={name}
        onChange={(event) => setName(event.currentTarget.value)}
      />
      <NativeSelect
        label="Its tier"
        data={GROUP_TIERS}
        value={tier}
        onChange={(event) => setTier(event.currentTarget.value)}
      />
      <Button
        type="submit"
        variant="default"
        leftSection={<Icon name="plus" size={13} />}
        disabled={name.trim() === ''}
        loading={make.isPending}
      >
        Make the group
      </Button>
      {make.isError && (
        <div className={css.whole}>
          <ErrorNote what="The group was not made" error={make.error} />
        </div>
      )}
    </form>
  );
}
