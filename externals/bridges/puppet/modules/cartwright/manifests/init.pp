# Does what packages asked for. Accounts stay when nobody asks for them any more, as with tpkg's own
# externals; files have what is asked for at present. A user or group that another class has is left to
# that class: include this one after it.
class cartwright {
  $requests = $facts['cartwright_requests'] ? {
    Hash    => $facts['cartwright_requests'],
    default => {},
  }
  $members = $requests['supplemental_groups'] ? {
    Hash    => $requests['supplemental_groups'].values,
    default => [],
  }

  $groups = $requests['group'] ? { Hash => $requests['group'], default => {} }
  $groups.each |$name, $group| {
    unless defined(Group[$name]) {
      group { $name:
        ensure => present,
        gid    => $group['gid'],
        system => 'system' in $group,
      }
    }
  }

  $users = $requests['user'] ? { Hash => $requests['user'], default => {} }
  $users.each |$name, $user| {
    unless defined(User[$name]) {
      user { $name:
        ensure     => present,
        uid        => $user['uid'],
        gid        => $user['group'],
        home       => $user['home'],
        shell      => $user['shell'],
        system     => 'system' in $user,
        managehome => 'create_home' in $user,
        groups     => $members.filter |$member| { $member['user'] == $name }.map |$member| { $member['group'] },
        membership => minimum,
      }
    }
  }

  # Members that are not users of ours.
  $others = $members.filter |$member| { !($member['user'] in $users) }
  $others.map |$member| { $member['user'] }.unique.each |$name| {
    unless defined(User[$name]) {
      user { $name:
        groups     => $others.filter |$member| { $member['user'] == $name }.map |$member| { $member['group'] },
        membership => minimum,
      }
    }
  }

  cartwright::file { '/etc/sysctl.d/60-cartwright-puppet.conf':
    entries => $requests['sysctl'],
  }
  ~> exec { 'cartwright: load the settings of the kernel':
    command     => 'sysctl -p /etc/sysctl.d/60-cartwright-puppet.conf',
    onlyif      => 'test -e /etc/sysctl.d/60-cartwright-puppet.conf',
    path        => ['/usr/sbin', '/usr/bin', '/sbin', '/bin'],
    refreshonly => true,
  }

  cartwright::file { '/etc/security/limits.d/60-cartwright-puppet.conf':
    entries => $requests['limits'],
  }

  cartwright::file { '/etc/sudoers.d/cartwright-puppet':
    entries  => $requests['sudo'],
    mode     => '0440',
    validate => '/usr/sbin/visudo --check --strict --file %',
  }
}
