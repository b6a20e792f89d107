"""A tenant's life by openstacksdk alone, from an empty project to an empty project.

Takes the cloud named aerostat from OS_CLIENT_CONFIG_FILE. Each step says `ok <step>` when all it asserted held.
"""

import os
import secrets
import sys
import tempfile

import openstack
from keystoneauth1.exceptions import HttpError
from openstack import exceptions

WAIT_S = 60
PASSWORD = secrets.token_urlsafe(12)


def refused(status, call, *args, **kwargs):
    try:
        call(*args, **kwargs)
    except (exceptions.HttpException, HttpError) as error:
        same(getattr(error, "status_code", None) or error.http_status, status)
        assert error.request_id.startswith("req-"), error.request_id
        return
    raise AssertionError(f"{call} was not refused with {status}")


def same(got, wanted):
    assert got == wanted, f"{got!r} is not {wanted!r}"


def identity(admin):
    domain = admin.identity.find_domain("Default")
    same(domain.id, "default")
    project = admin.identity.create_project(name="sdk", domain_id=domain.id, description="by the SDK")
    user = admin.identity.create_user(name="sally", password=PASSWORD, default_project_id=project.id)
    role = admin.identity.find_role("member", ignore_missing=False)
    admin.identity.assign_project_role_to_user(project, user, role)
    assert admin.identity.validate_user_has_project_role(project, user, role)
    found = list(admin.identity.role_assignments(user_id=user.id, scope_project_id=project.id))
    same([one.role["id"] for one in found], [role.id])
    same(admin.identity.update_project(project, description="changed").description, "changed")
    same([one.id for one in admin.identity.projects(name="sdk")], [project.id])
    refused(409, admin.identity.create_user, name="sally", password=PASSWORD)
    refused(404, admin.identity.get_user, "no-such-user")
    same(admin.identity.find_user("nobody"), None)
    user_cloud = openstack.connection.Connection(
        region_name=admin.config.region_name,
        auth=dict(
            auth_url=admin.config.get_auth_args()["auth_url"],
            username="sally",
            password=PASSWORD,
            project_name="sdk",
            user_domain_name="Default",
            project_domain_name="Default",
        ),
    )
    same(user_cloud.current_project_id, project.id)
    assert set(user_cloud.service_catalog[0]) >= {"type", "name", "endpoints"}
    refused(403, list, user_cloud.identity.users())
    return user_cloud, project, user


def flavors(admin, cloud):
    flavor = admin.compute.create_flavor(name="sdk.tiny", ram=64, vcpus=1, disk=1, description="small")
    same((flavor.ram, flavor.vcpus, flavor.disk, flavor.is_public), (64, 1, 1, True))
    admin.compute.create_flavor_extra_specs(flavor, {"hw:cpu_policy": "shared"})
    same(admin.compute.fetch_flavor_extra_specs(flavor).extra_specs, {"hw:cpu_policy": "shared"})
    admin.compute.delete_flavor_extra_specs_property(flavor, "hw:cpu_policy")
    same(cloud.compute.find_flavor("sdk.tiny").id, flavor.id)
    hidden = admin.compute.create_flavor(name="sdk.hidden", ram=64, vcpus=1, disk=1, is_public=False)
    same(cloud.compute.find_flavor("sdk.hidden"), None)
    admin.compute.flavor_add_tenant_access(hidden, cloud.current_project_id)
    same([one["tenant_id"] for one in admin.compute.get_flavor_access(hidden)], [cloud.current_project_id])
    same(cloud.compute.find_flavor("sdk.hidden").id, hidden.id)
    admin.compute.delete_flavor(hidden)
    refused(403, cloud.compute.create_flavor, name="x", ram=64, vcpus=1, disk=1)
    return flavor


def images(cloud):
    data = os.urandom(1 << 20)
    with tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        image = cloud.create_image(
            "sdk-image", filename=file.name, disk_format="raw", container_format="bare", wait=True, timeout=WAIT_S,
            meta={"hw_disk_bus": "virtio"}, tags=["first"],
        )
    same((image.status, image.size, image.disk_format), ("active", len(data), "raw"))
    same(image.hw_disk_bus or image.properties.get("hw_disk_bus"), "virtio")
    same(cloud.image.download_image(image).content, data)
    same([one.id for one in cloud.image.images(name="sdk-image", tag="first")], [image.id])
    cloud.image.add_tag(image, "second")
    cloud.image.remove_tag(image, "first")
    same(cloud.image.get_image(image.id).tags, ["second"])
    same(cloud.image.update_image(image, name="sdk-disk", min_ram=32).min_ram, 32)
    same(cloud.image.find_image("sdk-disk").id, image.id)
    refused(404, cloud.image.get_image, "11111111-2222-3333-4444-555555555555")
    for number in range(3):
        cloud.image.create_image(f"page-{number}", disk_format="raw", container_format="bare", allow_duplicates=True)
    pages = list(cloud.image.images(limit=1, sort="name:asc", owner=cloud.current_project_id))
    same([one.name for one in pages], ["page-0", "page-1", "page-2", "sdk-disk"])
    for one in pages[:3]:
        cloud.image.delete_image(one)
    return cloud.image.get_image(image.id)


def networks(cloud):
    network = cloud.network.create_network(name="sdk-net", description="of the SDK")
    same((network.status, network.is_admin_state_up, network.is_shared), ("ACTIVE", True, False))
    subnet = cloud.network.create_subnet(
        network_id=network.id, name="sdk-v4", ip_version=4, cidr="10.20.0.0/24", dns_nameservers=["9.9.9.9"],
    )
    same((subnet.gateway_ip, subnet.dns_nameservers), ("10.20.0.1", ["9.9.9.9"]))
    same(cloud.network.get_network(network).subnet_ids, [subnet.id])
    group = cloud.network.create_security_group(name="web", description="")
    same(len(group.security_group_rules), 2)
    rule = cloud.network.create_security_group_rule(
        security_group_id=group.id, direction="ingress", protocol="tcp", port_range_min=80, port_range_max=81,
        remote_ip_prefix="0.0.0.0/0",
    )
    same((rule.protocol, rule.port_range_min, rule.port_range_max, rule.ether_type), ("tcp", 80, 81, "IPv4"))
    refused(409, cloud.network.create_security_group_rule, security_group_id=group.id,
        direction="ingress", protocol="tcp", port_range_min=80, port_range_max=81, remote_ip_prefix="0.0.0.0/0",
    )
    port = cloud.network.create_port(
        network_id=network.id, name="sdk-port", fixed_ips=[{"ip_address": "10.20.0.77"}], security_groups=[group.id],
    )
    same([one["ip_address"] for one in port.fixed_ips], ["10.20.0.77"])
    same(cloud.network.update_port(port, description="changed").description, "changed")
    same([one.id for one in cloud.network.ports(fixed_ips="ip_address=10.20.0.77")], [port.id])
    refused(409, cloud.network.delete_network, network, ignore_missing=False)
    refused(400, cloud.network.create_subnet, network_id=network.id, ip_version=4, cidr="bad",
    )
    same({one.name for one in cloud.network.security_groups()}, {"default", "web"})
    return network, group, port


def keys(cloud):
    made = cloud.compute.create_keypair(name="sdk-key")
    assert "PRIVATE KEY" in made.private_key
    public = made.public_key
    cloud.compute.delete_keypair("sdk-key")
    imported = cloud.compute.create_keypair(name="sdk-key", public_key=public)
    same(imported.fingerprint, made.fingerprint)
    same([one.name for one in cloud.compute.keypairs()], ["sdk-key"])
    refused(409, cloud.compute.create_keypair, name="sdk-key", public_key=public)


def servers(cloud, flavor, image, network, group, port):
    server = cloud.create_server(
        "sdk-server", image=image, flavor=flavor, nics=[{"port-id": port.id}], key_name="sdk-key",
        meta={"role": "web"}, userdata="#!/bin/sh\n", wait=True, timeout=WAIT_S, auto_ip=False,
    )
    same((server.status, server.vm_state, server.power_state), ("ACTIVE", "active", 1))
    same(server.addresses["sdk-net"][0]["addr"], "10.20.0.77")
    same(server.key_name, "sdk-key")
    same([one["name"] for one in server.security_groups], ["web"])
    same(cloud.network.get_port(port.id).device_id, server.id)

    for number in range(3):
        cloud.compute.create_server(
            name=f"many-{number}", image_id=image.id, flavor_id=flavor.id, networks=[{"uuid": network.id}],
        )
    many = list(cloud.compute.servers(name="^many-", sort_key="display_name", sort_dir="asc", limit=1))
    same([one.name for one in many], ["many-0", "many-1", "many-2"])
    for one in many:
        cloud.compute.wait_for_server(one, wait=WAIT_S, interval=0.2)
    same(len(list(cloud.compute.servers(status="ACTIVE"))), 4)
    same(list(cloud.compute.servers(status="ERROR")), [])
    same({one.name for one in cloud.compute.servers(details=False)}, {"sdk-server", *(one.name for one in many)})

    cloud.compute.set_server_metadata(server, tier="gold")
    same(cloud.compute.get_server_metadata(server).metadata, {"role": "web", "tier": "gold"})
    cloud.compute.delete_server_metadata(server, ["role"])
    same(cloud.compute.get_server(server).metadata, {"tier": "gold"})
    same(cloud.compute.update_server(server, name="renamed").name, "renamed")
    same(cloud.compute.find_server("renamed").id, server.id)

    refused(409, cloud.compute.start_server, server)
    cloud.compute.stop_server(server)
    cloud.compute.wait_for_server(server, "SHUTOFF", wait=WAIT_S, interval=0.2)
    cloud.compute.start_server(server)
    cloud.compute.wait_for_server(server, "ACTIVE", wait=WAIT_S, interval=0.2)
    cloud.compute.reboot_server(server, "HARD")
    cloud.compute.wait_for_server(server, "ACTIVE", wait=WAIT_S, interval=0.2)
    assert isinstance(cloud.compute.get_server_console_output(server)["output"], str)
    # This SDK's own list of actions refuses itself its server_id.
    actions = cloud.compute.get(f"/servers/{server.id}/os-instance-actions").json()["instanceActions"]
    same([one["action"] for one in actions], ["reboot", "start", "stop", "create"])
    cloud.compute.lock_server(server)
    refused(409, cloud.compute.delete_server, server)
    cloud.compute.unlock_server(server)

    for one in cloud.compute.servers():
        cloud.delete_server(one.id, wait=True, timeout=WAIT_S)
    same(list(cloud.compute.servers()), [])
    refused(404, cloud.compute.get_server, server.id)


def leave(admin, cloud, project, user, flavor, image, network, group, port):
    cloud.compute.delete_keypair("sdk-key")
    # It was the tenant's before there was a server, and stays.
    same([one.id for one in cloud.network.ports()], [port.id])
    cloud.network.delete_port(port, ignore_missing=False)
    cloud.network.delete_security_group(group, ignore_missing=False)
    for subnet in cloud.network.subnets(network_id=network.id):
        cloud.network.delete_subnet(subnet, ignore_missing=False)
    cloud.network.delete_network(network, ignore_missing=False)
    assert cloud.delete_image(image.id, wait=True, timeout=WAIT_S)
    same(list(cloud.image.images(visibility="shared")), [])
    admin.compute.delete_flavor(flavor, ignore_missing=False)
    admin.identity.delete_user(user, ignore_missing=False)
    admin.identity.delete_project(project, ignore_missing=False)
    refused(401, list, cloud.compute.servers())


def operators(admin):
    hypervisors = list(admin.compute.hypervisors(details=True))
    same(len(hypervisors), 2)
    same({one.status for one in hypervisors}, {"enabled"})
    same({one.binary for one in admin.compute.services()}, {"nova-compute"})
    same([one.name for one in admin.compute.availability_zones()], ["nova"])
    assert admin.compute.get_limits().absolute.max_total_keypairs > 0
    aliases = {one.alias for one in admin.network.extensions()}
    assert {"security-group", "port-security", "pagination"} <= aliases, aliases
    types = {one.type for one in admin.identity.services()}
    assert {"identity", "compute", "image", "network"} <= types, types


def main():
    admin = openstack.connect(cloud="aerostat")
    step = lambda name: print("ok", name, flush=True)
    operators(admin)
    step("operators")
    cloud, project, user = identity(admin)
    step("identity")
    flavor = flavors(admin, cloud)
    step("flavors")
    image = images(cloud)
    step("images")
    network, group, port = networks(cloud)
    step("networks")
    keys(cloud)
    step("keys")
    servers(cloud, flavor, image, network, group, port)
    step("servers")
    leave(admin, cloud, project, user, flavor, image, network, group, port)
    step("leave")


sys.exit(main())
