"""Prints what the installed Ansible reads from inventory files, as one JSON document: {path: {hosts, groups} | {error}}."""
import json
import sys

from ansible.inventory.data import InventoryData
from ansible.inventory.helpers import get_group_vars
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import inventory_loader
from ansible.utils.vars import combine_vars


def read(path):
    data = InventoryData()
    try:
        inventory_loader.get('ini').parse(data, DataLoader(), path)
        data.reconcile_inventory()
    except Exception as error:
        return {'error': str(error)}
    hosts = {
        name: combine_vars(get_group_vars(host.get_groups()), host.vars)
        for name, host in data.hosts.items()
    }
    for variables in hosts.values():
        variables.pop('inventory_file', None)
        variables.pop('inventory_dir', None)
    groups = {
        name: {
            'hosts': [host.name for host in group.hosts],
            'children': sorted(child.name for child in group.child_groups),
            'members': sorted(host.name for host in group.get_hosts()),
        }
        for name, group in data.groups.items()
    }
    return {'hosts': hosts, 'groups': groups}


print(json.dumps({path: read(path) for path in sys.argv[1:]}, default=list))
