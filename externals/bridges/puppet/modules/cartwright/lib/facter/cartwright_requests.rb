# What packages on this node asked for: external => key => the entry. Facts come from the node, so this
# serves agents as well as `puppet apply`.
require 'json'

Facter.add(:cartwright_requests) do
  setcode do
    folder = ENV['CART_BRIDGE_REQUESTS'] || '/var/lib/cartwright/requests/puppet'
    found = {}
    Dir.glob(File.join(folder, '*', '*.json')).sort.each do |file|
      begin
        request = JSON.parse(File.read(file))
        entries = found[request.fetch('external')] ||= {}
        request.fetch('entries').each { |entry| entries[entry.fetch('key')] ||= entry }
      rescue JSON::ParserError, KeyError, SystemCallError => e
        Facter.warn("#{file}: #{e.message}")
      end
    end
    found
  end
end
